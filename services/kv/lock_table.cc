#include "services/kv/lock_table.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "services/core/time/deadline.h"

namespace entrepot::kv {

std::vector<Lock> InLockingOrder(std::vector<Lock> locks) {
  std::sort(locks.begin(), locks.end(), [](const Lock& a, const Lock& b) {
    if (a.key != b.key) return a.key < b.key;
    return a.mode == LockMode::kExclusive && b.mode != LockMode::kExclusive;
  });
  auto same_key = [](const Lock& a, const Lock& b) { return a.key == b.key; };
  locks.erase(std::unique(locks.begin(), locks.end(), same_key), locks.end());
  return locks;
}

absl::Status CheckWritable(const std::vector<Lock>& locks, absl::string_view key) {
  auto lock = std::lower_bound(locks.begin(), locks.end(), key,
                               [](const Lock& lock, absl::string_view key) { return lock.key < key; });
  if (lock == locks.end() || lock->key != key || lock->mode == LockMode::kExclusive) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("key ", absl::CHexEscape(key), " is written under a shared lock"));
}

absl::StatusOr<LockTable::Held> LockTable::Acquire(const std::vector<Lock>& locks, absl::Duration timeout) {
  Held held(this);
  held.locks_.reserve(locks.size());
  for (const Lock& lock : locks) {
    if (!AcquireOne(lock, timeout)) {
      return absl::AbortedError(
          absl::StrCat("lock on key ", absl::CHexEscape(lock.key), " not free within ", absl::FormatDuration(timeout)));
    }
    held.locks_.push_back(lock);
  }
  return held;
}

LockTable::Held::~Held() {
  if (table_ == nullptr) return;
  for (const Lock& lock : locks_) table_->ReleaseOne(lock);
}

LockTable::Shard& LockTable::ShardOf(absl::string_view key) {
  return shards_[absl::Hash<absl::string_view>()(key) % shards_.size()];
}

bool LockTable::AcquireOne(const Lock& lock, absl::Duration timeout) {
  Shard& shard = ShardOf(lock.key);
  std::unique_lock guard(shard.mutex);
  Entry& entry = shard.entries[lock.key];
  if (entry.waiters.empty() && entry.IsFreeFor(lock.mode)) {
    entry.Take(lock.mode);
    return true;
  }
  Waiter waiter{lock.mode};
  entry.waiters.push_back(&waiter);
  if (waiter.wake.wait_until(guard, Deadline::After(timeout).time(), [&waiter] { return waiter.granted; })) return true;
  // The map may have grown meanwhile, and moved the entry.
  const auto found = shard.entries.find(lock.key);
  found->second.waiters.remove(&waiter);
  found->second.Grant();
  return false;
}

void LockTable::ReleaseOne(const Lock& lock) {
  Shard& shard = ShardOf(lock.key);
  std::lock_guard guard(shard.mutex);
  const auto found = shard.entries.find(lock.key);
  found->second.Release(lock.mode);
  found->second.Grant();
  if (found->second.IsUnused()) shard.entries.erase(found);
}

void LockTable::Entry::Take(LockMode mode) {
  if (mode == LockMode::kExclusive) {
    exclusive = true;
  } else {
    ++shared;
  }
}

void LockTable::Entry::Release(LockMode mode) {
  if (mode == LockMode::kExclusive) {
    exclusive = false;
  } else {
    --shared;
  }
}

void LockTable::Entry::Grant() {
  while (!waiters.empty() && IsFreeFor(waiters.front()->mode)) {
    Waiter* const first = waiters.front();
    waiters.pop_front();
    Take(first->mode);
    first->granted = true;
    first->wake.notify_one();
  }
}

}  // namespace entrepot::kv
