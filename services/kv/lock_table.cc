#include "services/kv/lock_table.h"

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace entrepot::kv {

absl::StatusOr<LockTable::Held> LockTable::Acquire(const std::vector<Lock>& locks, absl::Duration timeout) {
  Held held(this);
  for (const Lock& lock : locks) {
    auto is_free = [this, &lock]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return IsFree(lock); };
    absl::MutexLock guard(&mutex_);
    if (!mutex_.AwaitWithTimeout(absl::Condition(&is_free), timeout)) {
      return absl::AbortedError(
          absl::StrCat("lock on key ", absl::CHexEscape(lock.key), " not free within ", absl::FormatDuration(timeout)));
    }
    Holders& holders = holders_[lock.key];
    if (lock.mode == LockMode::kExclusive) {
      holders.exclusive = true;
    } else {
      ++holders.shared;
    }
    held.locks_.push_back(lock);
  }
  return held;
}

bool LockTable::IsFree(const Lock& lock) const {
  auto holders = holders_.find(lock.key);
  if (holders == holders_.end()) return true;
  return lock.mode == LockMode::kShared && !holders->second.exclusive;
}

LockTable::Held::~Held() {
  if (table_ == nullptr) return;
  absl::MutexLock guard(&table_->mutex_);
  for (const Lock& lock : locks_) {
    auto holders = table_->holders_.find(lock.key);
    if (lock.mode == LockMode::kExclusive || --holders->second.shared == 0) table_->holders_.erase(holders);
  }
}

}  // namespace entrepot::kv
