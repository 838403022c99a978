#include "services/kv/lock_list.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

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

}  // namespace entrepot::kv
