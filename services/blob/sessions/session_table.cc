#include "services/blob/sessions/session_table.h"

#include <algorithm>

#include "services/status/oci_error.h"

namespace entrepot::blob {
namespace {

// If requests use all sessions of a full group, nothing is known about their end.
constexpr absl::Duration kWaitForRequests = absl::Minutes(1);

}  // namespace

SessionTable::Claim::~Claim() {
  if (table_ != nullptr) table_->Write(*this, /*release=*/true);
}

void SessionTable::Claim::Update(SessionState state, uint64_t offset_bytes, bool trusted) {
  info_.state = state;
  info_.offset_bytes = offset_bytes;
  info_.trusted = trusted;
  table_->Write(*this, /*release=*/false);
}

void SessionTable::Claim::End() {
  info_.state = SessionState::kEnding;
  table_->Write(*this, /*release=*/false);
}

void SessionTable::Claim::Remove() { std::exchange(table_, nullptr)->Erase(id_); }

absl::StatusOr<SessionTable::Added> SessionTable::Add(const UploadId& id, const UploadOwner& owner) {
  const absl::Time now = clock_.Now();
  SessionInfo info{.owner = SessionOwner::Of(owner), .started_at = now, .touched_at = now};
  const std::string share_name = info.owner.Share();
  // Claims are released after the lock.
  std::vector<Claim> evicted;
  absl::MutexLock lock(&mutex_);
  while (owner.account != kUpstreamAccount) {
    const auto share = shares_.find(share_name);
    if (share == shares_.end() || share->second.open < limits_.share_max) break;
    if (Evict(share->second, &evicted)) continue;
    metrics_.CountRefusedUpload(UploadLimit::kShare);
    return ShareIsFull(info.owner, share->second.open, WaitFor(share->second));
  }
  while (all_.open >= limits_.open_max) {
    if (Evict(all_, &evicted)) continue;
    metrics_.CountRefusedUpload(UploadLimit::kSum);
    return TooManyOpen(all_.open, WaitFor(all_));
  }
  return Added{.session = TakeClaim(SessionUse::kAppend, Insert(id, std::move(info))), .evicted = std::move(evicted)};
}

void SessionTable::Restore(const UploadId& id, SessionInfo info) {
  absl::MutexLock lock(&mutex_);
  Insert(id, std::move(info));
}

bool SessionTable::Contains(const UploadId& id) const {
  absl::MutexLock lock(&mutex_);
  return entries_.contains(id.ToString());
}

bool SessionTable::IsTrusted(const UploadId& id) const {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(id.ToString());
  return found == entries_.end() || found->second.info.trusted;
}

absl::StatusOr<SessionInfo> SessionTable::Find(const UploadId& id, const UploadOwner& owner) const {
  absl::MutexLock lock(&mutex_);
  const Entry* entry = FindEntry(id, owner);
  if (entry == nullptr || entry->info.state == SessionState::kEnding) return UnknownSession();
  return entry->info;
}

absl::StatusOr<SessionTable::Claim> SessionTable::ClaimFor(SessionUse use, const UploadId& id,
                                                           const UploadOwner& owner) {
  absl::MutexLock lock(&mutex_);
  Entry* entry = const_cast<Entry*>(FindEntry(id, owner));
  if (entry == nullptr) return UnknownSession();
  if (entry->info.state == SessionState::kEnding && use != SessionUse::kEnd) return UnknownSession();
  if (entry->claimed) {
    const bool passes = use == SessionUse::kVerify || entry->use != SessionUse::kAppend;
    if (passes) return OciError(OciErrorCode::kUnavailable, "another request completes or checks this upload; retry");
    return OciError(OciErrorCode::kRangeInvalid, "another request is using this upload");
  }
  return TakeClaim(use, *entry);
}

bool SessionTable::RemoveSealed(const UploadId& id, const UploadOwner& owner) {
  absl::MutexLock lock(&mutex_);
  const Entry* entry = FindEntry(id, owner);
  if (entry == nullptr || entry->claimed || entry->info.state != SessionState::kSealed) return false;
  Forget(entries_.find(id.ToString()));
  return true;
}

SessionTable::Due SessionTable::ClaimDue() {
  Due due;
  absl::MutexLock lock(&mutex_);
  for (auto i = entries_.begin(); i != entries_.end();) {
    const auto current = i++;
    Entry& entry = current->second;
    if (entry.claimed || (entry.info.state != SessionState::kEnding && !IsExpired(entry))) continue;
    if (entry.info.state == SessionState::kSealed) {
      due.sealed.push_back(entry.id);
      Forget(current);
      continue;
    }
    due.deletable.push_back(TakeClaim(SessionUse::kEnd, entry));
  }
  return due;
}

SessionTable::Selected SessionTable::ClaimMatching(const UploadFilter& filter) {
  Selected selected;
  absl::MutexLock lock(&mutex_);
  for (auto& [text, entry] : entries_) {
    if (entry.info.state != SessionState::kOpen || !Matches(filter, entry.id, entry.info.owner)) continue;
    if (entry.claimed) {
      entry.end_requested = true;
      ++selected.in_use;
    } else {
      selected.idle.push_back(TakeClaim(SessionUse::kEnd, entry));
    }
  }
  return selected;
}

OpenUploadPage SessionTable::List(const UploadFilter& filter, absl::string_view start_after, size_t limit) const {
  OpenUploadPage page;
  std::vector<const Entry*> found;
  absl::MutexLock lock(&mutex_);
  for (const auto& [text, entry] : entries_) {
    if (entry.info.state != SessionState::kOpen || text <= start_after) continue;
    if (Matches(filter, entry.id, entry.info.owner)) found.push_back(&entry);
  }
  const size_t shown = std::min(found.size(), limit);
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(shown), found.end(),
                    [](const Entry* a, const Entry* b) { return a->id < b->id; });
  for (size_t i = 0; i < shown; ++i) {
    const SessionInfo& info = found[i]->info;
    page.uploads.push_back({.id = found[i]->id.ToString(),
                            .repository = info.owner.repository,
                            .account = info.owner.account,
                            .client = info.owner.client,
                            .received_bytes = info.offset_bytes,
                            .started_at = info.started_at,
                            .touched_at = info.touched_at,
                            .expires_at = limits_.ExpiryOf(info),
                            .in_use = found[i]->claimed});
  }
  if (shown < found.size() && shown > 0) page.next = page.uploads.back().id;
  return page;
}

UploadTotals SessionTable::Totals() const {
  absl::MutexLock lock(&mutex_);
  UploadTotals totals{.sessions = all_.open, .bytes = bytes_};
  const auto span = [this](const Order& order) {
    Waiting waiting;
    for (const Entry* const entry : order) waiting.Add(0, limits_.ExpiryOf(entry->info));
    return waiting;
  };
  for (const Place place : {kIdleEmpty, kIdleFilled}) totals.idle.Add(span(all_.places[place]));
  totals.idle.bytes = bytes_;
  for (const Entry* const entry : all_.places[kInUse]) totals.idle.bytes -= entry->counted_bytes;
  totals.sealed = span(sealed_);
  totals.sealed.bytes = sealed_bytes_;
  return totals;
}

absl::Duration SessionTable::OldestAge() const {
  const absl::Time now = clock_.Now();
  absl::Time oldest = now;
  absl::MutexLock lock(&mutex_);
  for (const Place place : {kIdleEmpty, kIdleFilled}) {
    const Order& idle = all_.places[place];
    if (!idle.empty()) oldest = std::min(oldest, idle.front()->info.touched_at);
  }
  return now - oldest;
}

const SessionTable::Entry* SessionTable::FindEntry(const UploadId& id, const UploadOwner& owner) const {
  const auto found = entries_.find(id.ToString());
  if (found == entries_.end() || !found->second.info.owner.Is(owner) || IsExpired(found->second)) return nullptr;
  return &found->second;
}

SessionTable::Claim SessionTable::TakeClaim(SessionUse use, Entry& entry) {
  entry.claimed = true;
  entry.use = use;
  Account(entry);
  return Claim(this, entry.id, entry.info);
}

SessionTable::Entry& SessionTable::Insert(const UploadId& id, SessionInfo&& info) {
  Entry& entry = entries_.try_emplace(id.ToString(), id, std::move(info)).first->second;
  Account(entry);
  return entry;
}

void SessionTable::Account(Entry& entry) {
  if (entry.info.state != SessionState::kOpen) {
    if (entry.share != nullptr) Leave(entry);
    AccountSealed(entry);
    return;
  }
  const Place place = entry.claimed ? kInUse : entry.info.offset_bytes == 0 ? kIdleEmpty : kIdleFilled;
  if (entry.share == nullptr) {
    entry.share = &shares_[entry.info.owner.Share()];
    entry.in_share = entry.share->places[place].insert(entry.share->places[place].end(), &entry);
    entry.in_all = all_.places[place].insert(all_.places[place].end(), &entry);
    ++entry.share->open;
    ++all_.open;
  } else {
    // Without an allocation: each append claims and releases its session.
    entry.share->places[place].splice(entry.share->places[place].end(), entry.share->places[entry.place],
                                      entry.in_share);
    all_.places[place].splice(all_.places[place].end(), all_.places[entry.place], entry.in_all);
  }
  entry.place = place;
  bytes_ += entry.info.offset_bytes - entry.counted_bytes;
  entry.counted_bytes = entry.info.offset_bytes;
  metrics_.SetOpenUploads(all_.open, bytes_);
}

void SessionTable::Leave(Entry& entry) {
  Group& share = *std::exchange(entry.share, nullptr);
  share.places[entry.place].erase(entry.in_share);
  all_.places[entry.place].erase(entry.in_all);
  --all_.open;
  if (--share.open == 0) shares_.erase(entry.info.owner.Share());
  bytes_ -= std::exchange(entry.counted_bytes, 0);
  metrics_.SetOpenUploads(all_.open, bytes_);
}

void SessionTable::AccountSealed(Entry& entry) {
  LeaveSealed(entry);
  if (entry.info.state != SessionState::kSealed) return;
  entry.in_sealed = sealed_.insert(sealed_.end(), &entry);
  entry.counted_bytes = entry.info.offset_bytes;
  sealed_bytes_ += entry.counted_bytes;
}

void SessionTable::LeaveSealed(Entry& entry) {
  if (!entry.in_sealed.has_value()) return;
  sealed_.erase(*std::exchange(entry.in_sealed, std::nullopt));
  sealed_bytes_ -= std::exchange(entry.counted_bytes, 0);
}

bool SessionTable::Evict(const Group& group, std::vector<Claim>* evicted) {
  const Order& candidates = group.places[kIdleEmpty];
  if (candidates.empty()) return false;
  Entry& entry = *candidates.front();
  if (entry.info.touched_at + limits_.EvictableAfter() > clock_.Now()) return false;
  entry.info.state = SessionState::kEnding;
  evicted->push_back(TakeClaim(SessionUse::kEnd, entry));
  return true;
}

absl::Duration SessionTable::WaitFor(const Group& group) const {
  const absl::Time now = clock_.Now();
  absl::Duration wait = absl::InfiniteDuration();
  if (const Order& empty = group.places[kIdleEmpty]; !empty.empty()) {
    wait = std::min(wait, empty.front()->info.touched_at + limits_.EvictableAfter() - now);
  }
  if (const Order& filled = group.places[kIdleFilled]; !filled.empty()) {
    wait = std::min(wait, limits_.ExpiryOf(filled.front()->info) - now);
  }
  return wait == absl::InfiniteDuration() ? kWaitForRequests : wait;
}

void SessionTable::Write(const Claim& claim, bool release) {
  const absl::Time now = clock_.Now();
  absl::MutexLock lock(&mutex_);
  Entry& entry = entries_.at(claim.id_.ToString());
  entry.info = claim.info_;
  entry.info.touched_at = now;
  if (release) {
    entry.claimed = false;
    if (entry.end_requested && entry.info.state == SessionState::kOpen) entry.info.state = SessionState::kEnding;
  }
  Account(entry);
}

void SessionTable::Erase(const UploadId& id) {
  absl::MutexLock lock(&mutex_);
  if (const auto found = entries_.find(id.ToString()); found != entries_.end()) Forget(found);
}

void SessionTable::Forget(Entries::iterator session) {
  if (session->second.share != nullptr) Leave(session->second);
  LeaveSealed(session->second);
  entries_.erase(session);
}

}  // namespace entrepot::blob
