#include "services/blob/sessions/session_census.h"

#include <algorithm>
#include <utility>

namespace entrepot::blob {
namespace {

// If requests use all sessions of a full group, nothing is known about their end.
constexpr absl::Duration kWaitForRequests = absl::Minutes(1);

bool IsIdle(const SessionCensus::Session& session) {
  return session.info.state == SessionState::kOpen && !session.in_use;
}

}  // namespace

void SessionCensus::BeginScan() {
  absl::MutexLock lock(&mutex_);
  scan_began_at_ = clock_.Now();
  changes_.emplace();
}

void SessionCensus::EndScan(Sessions found) {
  absl::MutexLock lock(&mutex_);
  sessions_.clear();
  shares_.clear();
  all_ = {};
  for (auto& [id, session] : found) Insert(id, std::move(session));
  if (changes_.has_value()) {
    for (auto& [id, change] : *changes_) {
      Erase(id);
      if (change.has_value()) Insert(id, *std::move(change));
    }
    changes_.reset();
  }
  scanned_at_ = scan_began_at_;
  ShowCounts();
}

absl::Time SessionCensus::scanned_at() const {
  absl::MutexLock lock(&mutex_);
  return scanned_at_;
}

void SessionCensus::Set(const UploadId& id, Session session) {
  absl::MutexLock lock(&mutex_);
  Put(id, std::move(session));
}

void SessionCensus::Remove(const UploadId& id) {
  absl::MutexLock lock(&mutex_);
  if (changes_.has_value()) changes_->insert_or_assign(id, std::nullopt);
  Erase(id);
  ShowCounts();
}

SessionCensus::Room SessionCensus::Add(const UploadId& id, const SessionInfo& info) {
  absl::MutexLock lock(&mutex_);
  Room room = FindRoom(info.owner);
  if (room.status.ok()) Put(id, {.info = info});
  return room;
}

SessionCensus::Room SessionCensus::FindRoom(const SessionOwner& owner) const {
  if (owner.account != kUpstreamAccount) {
    const std::string share = owner.Share();
    const auto found = shares_.find(share);
    if (found != shares_.end() && found->second >= limits_.share_max) {
      absl::Duration wait;
      std::optional<UploadId> evictable = Evictable(share, &wait);
      return {.status = ShareIsFull(owner, found->second, wait),
              .limit = UploadLimit::kShare,
              .evictable = std::move(evictable)};
    }
  }
  if (all_.open < limits_.open_max) return {};
  absl::Duration wait;
  std::optional<UploadId> evictable = Evictable("", &wait);
  return {.status = TooManyOpen(all_.open, wait), .limit = UploadLimit::kSum, .evictable = std::move(evictable)};
}

std::vector<UploadId> SessionCensus::Find(const UploadFilter& filter) const {
  std::vector<UploadId> found;
  absl::MutexLock lock(&mutex_);
  for (const auto& [id, session] : sessions_) {
    if (session.info.state == SessionState::kOpen && Matches(filter, id, session.info.owner)) found.push_back(id);
  }
  return found;
}

OpenUploadPage SessionCensus::List(const UploadFilter& filter, absl::string_view start_after, size_t limit) const {
  OpenUploadPage page;
  absl::MutexLock lock(&mutex_);
  for (const auto& [id, session] : sessions_) {
    const SessionInfo& info = session.info;
    if (info.state != SessionState::kOpen || id.ToString() <= start_after || !Matches(filter, id, info.owner)) continue;
    if (page.uploads.size() == limit) {
      if (limit > 0) page.next = page.uploads.back().id;
      break;
    }
    page.uploads.push_back({.id = id.ToString(),
                            .repository = info.owner.repository,
                            .account = info.owner.account,
                            .client = info.owner.client,
                            .received_bytes = info.offset_bytes,
                            .started_at = info.started_at,
                            .touched_at = info.touched_at,
                            .expires_at = limits_.ExpiryOf(info),
                            .in_use = session.in_use});
  }
  return page;
}

UploadTotals SessionCensus::Totals() const {
  absl::MutexLock lock(&mutex_);
  UploadTotals totals{.sessions = all_.open, .bytes = all_.bytes};
  for (const auto& [id, session] : sessions_) {
    const absl::Time expires_at = limits_.ExpiryOf(session.info);
    if (IsIdle(session)) totals.idle.Add(session.info.offset_bytes, expires_at);
    if (session.info.state == SessionState::kSealed) totals.sealed.Add(session.info.offset_bytes, expires_at);
  }
  return totals;
}

absl::Duration SessionCensus::OldestAge() const {
  const absl::Time now = clock_.Now();
  absl::Time oldest = now;
  absl::MutexLock lock(&mutex_);
  for (const auto& [id, session] : sessions_) {
    if (IsIdle(session)) oldest = std::min(oldest, session.info.touched_at);
  }
  return now - oldest;
}

std::vector<UploadId> SessionCensus::Due(absl::Time ended_before) const {
  std::vector<UploadId> due;
  absl::MutexLock lock(&mutex_);
  for (const auto& [id, session] : sessions_) {
    const bool expired = session.info.state == SessionState::kOpen && IsExpired(session);
    const bool over = session.info.state == SessionState::kEnding && session.info.touched_at <= ended_before;
    if (expired || over) due.push_back(id);
  }
  return due;
}

std::vector<UploadId> SessionCensus::Abandoned(size_t limit) const {
  std::vector<UploadId> abandoned;
  absl::MutexLock lock(&mutex_);
  for (const auto& [id, session] : sessions_) {
    if (abandoned.size() == limit) break;
    if (session.info.state == SessionState::kSealed && IsExpired(session)) abandoned.push_back(id);
  }
  return abandoned;
}

void SessionCensus::Put(const UploadId& id, Session session) {
  if (changes_.has_value()) changes_->insert_or_assign(id, session);
  Erase(id);
  Insert(id, std::move(session));
  ShowCounts();
}

void SessionCensus::Insert(const UploadId& id, Session session) {
  if (session.info.state == SessionState::kOpen) {
    ++all_.open;
    all_.bytes += session.info.offset_bytes;
    ++shares_[session.info.owner.Share()];
  }
  sessions_.emplace(id, std::move(session));
}

void SessionCensus::Erase(const UploadId& id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  const SessionInfo& info = found->second.info;
  if (info.state == SessionState::kOpen) {
    --all_.open;
    all_.bytes -= info.offset_bytes;
    const auto share = shares_.find(info.owner.Share());
    if (--share->second == 0) shares_.erase(share);
  }
  sessions_.erase(found);
}

std::optional<UploadId> SessionCensus::Evictable(absl::string_view share, absl::Duration* wait) const {
  const absl::Time now = clock_.Now();
  const UploadId* oldest = nullptr;
  absl::Time oldest_touched_at;
  absl::Duration least = absl::InfiniteDuration();
  for (const auto& [id, session] : sessions_) {
    if (!IsIdle(session) || (!share.empty() && session.info.owner.Share() != share)) continue;
    const bool empty = session.info.offset_bytes == 0;
    const absl::Time free_at =
        empty ? session.info.touched_at + limits_.EvictableAfter() : limits_.ExpiryOf(session.info);
    least = std::min(least, free_at - now);
    if (!empty || free_at > now || (oldest != nullptr && session.info.touched_at >= oldest_touched_at)) continue;
    oldest = &id;
    oldest_touched_at = session.info.touched_at;
  }
  *wait = least == absl::InfiniteDuration() ? kWaitForRequests : least;
  return oldest == nullptr ? std::nullopt : std::optional<UploadId>(*oldest);
}

}  // namespace entrepot::blob
