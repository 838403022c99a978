#include "services/blob/sessions/session_table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/status/oci_error.h"

namespace entrepot::blob {

absl::Status UnknownSession() { return OciError(OciErrorCode::kBlobUploadUnknown, "unknown upload session"); }

SessionTable::Claim::~Claim() {
  if (table_ != nullptr) table_->Write(*this, /*release=*/true);
}

void SessionTable::Claim::Update(SessionState state, uint64_t offset_bytes, bool trusted) {
  info_.state = state;
  info_.offset_bytes = offset_bytes;
  info_.trusted = trusted;
  table_->Write(*this, /*release=*/false);
}

void SessionTable::Claim::Remove() { std::exchange(table_, nullptr)->Erase(id_); }

absl::StatusOr<SessionTable::Claim> SessionTable::Add(const UploadId& id, const UploadOwner& owner) {
  SessionInfo info{.owner = {.repository = owner.repository.ToString(), .account = owner.account},
                   .touched_at = clock_.Now()};
  absl::MutexLock lock(&mutex_);
  if (open_ >= open_max_) {
    return OciError(OciErrorCode::kTooManyRequests,
                    absl::StrCat(open_, " uploads are open, as many as are allowed: finish or cancel some"));
  }
  entries_[id.ToString()] = Entry{.info = info, .claimed = true, .use = SessionUse::kAppend};
  CountOpen(+1);
  return Claim(this, id, std::move(info));
}

void SessionTable::Restore(const UploadId& id, SessionInfo info) {
  absl::MutexLock lock(&mutex_);
  if (info.state == SessionState::kOpen) CountOpen(+1);
  entries_[id.ToString()] = Entry{.info = std::move(info)};
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
  if (entry == nullptr) return UnknownSession();
  return entry->info;
}

absl::StatusOr<SessionTable::Claim> SessionTable::ClaimFor(SessionUse use, const UploadId& id,
                                                           const UploadOwner& owner) {
  absl::MutexLock lock(&mutex_);
  Entry* entry = const_cast<Entry*>(FindEntry(id, owner));
  if (entry == nullptr) return UnknownSession();
  if (entry->claimed) {
    const bool passes = use == SessionUse::kVerify || entry->use == SessionUse::kVerify;
    if (passes || (use == SessionUse::kSeal && entry->use == SessionUse::kSeal)) {
      return OciError(OciErrorCode::kUnavailable, "the upload is being checked; retry");
    }
    return OciError(OciErrorCode::kRangeInvalid, "another request is using this upload");
  }
  entry->claimed = true;
  entry->use = use;
  return Claim(this, id, entry->info);
}

bool SessionTable::RemoveSealed(const UploadId& id, const UploadOwner& owner) {
  absl::MutexLock lock(&mutex_);
  const Entry* entry = FindEntry(id, owner);
  if (entry == nullptr || entry->claimed || entry->info.state != SessionState::kSealed) return false;
  entries_.erase(id.ToString());
  return true;
}

SessionTable::Expired SessionTable::ClaimExpired(size_t limit) {
  Expired expired;
  absl::MutexLock lock(&mutex_);
  for (auto i = entries_.begin(); i != entries_.end() && expired.open.size() < limit;) {
    auto current = i++;
    auto& [text, entry] = *current;
    if (!IsExpired(entry)) continue;
    if (entry.info.state == SessionState::kSealed) {
      expired.sealed.push_back(*UploadId::Parse(text));
      entries_.erase(current);
      continue;
    }
    entry.claimed = true;
    entry.use = SessionUse::kEnd;
    expired.open.push_back(Claim(this, *UploadId::Parse(text), entry.info));
  }
  return expired;
}

absl::Duration SessionTable::OldestAge() const {
  const absl::Time now = clock_.Now();
  absl::Time oldest = now;
  absl::MutexLock lock(&mutex_);
  for (const auto& [text, entry] : entries_) {
    if (entry.info.state == SessionState::kOpen && !entry.claimed) oldest = std::min(oldest, entry.info.touched_at);
  }
  return now - oldest;
}

const SessionTable::Entry* SessionTable::FindEntry(const UploadId& id, const UploadOwner& owner) const {
  const auto found = entries_.find(id.ToString());
  if (found == entries_.end() || !found->second.info.owner.Is(owner) || IsExpired(found->second)) return nullptr;
  return &found->second;
}

void SessionTable::CountOpen(int change) {
  open_ += static_cast<size_t>(change);
  gauge_->Set(static_cast<double>(open_));
}

void SessionTable::Write(const Claim& claim, bool release) {
  const absl::Time now = clock_.Now();
  absl::MutexLock lock(&mutex_);
  Entry& entry = entries_[claim.id_.ToString()];
  if (entry.info.state == SessionState::kOpen && claim.info_.state == SessionState::kSealed) CountOpen(-1);
  entry.info = claim.info_;
  entry.info.touched_at = now;
  if (release) entry.claimed = false;
}

void SessionTable::Erase(const UploadId& id) {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(id.ToString());
  if (found == entries_.end()) return;
  if (found->second.info.state == SessionState::kOpen) CountOpen(-1);
  entries_.erase(found);
}

}  // namespace entrepot::blob
