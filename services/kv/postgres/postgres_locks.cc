#include "services/kv/postgres/postgres_locks.h"

#include <openssl/sha.h>

#include <algorithm>
#include <utility>

#include "services/kv/postgres/postgres_values.h"

namespace entrepot::kv {

int64_t LockIdOf(absl::string_view key) {
  unsigned char hash[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(), hash);
  return ParseBinaryInt64(absl::string_view(reinterpret_cast<const char*>(hash), 8));
}

bool PostgresLocks::any_exclusive() const {
  return std::find(exclusive.begin(), exclusive.end(), true) != exclusive.end();
}

PostgresLocks InIdOrder(std::vector<Lock> locks) {
  std::vector<std::pair<int64_t, bool>> sorted;
  sorted.reserve(locks.size());
  for (const Lock& lock : locks) sorted.emplace_back(LockIdOf(lock.key), lock.mode == LockMode::kExclusive);
  std::sort(sorted.begin(), sorted.end());
  PostgresLocks ordered;
  for (const auto& [id, exclusive] : sorted) {
    if (!ordered.ids.empty() && ordered.ids.back() == id) {
      ordered.exclusive.back() = ordered.exclusive.back() || exclusive;
    } else {
      ordered.ids.push_back(id);
      ordered.exclusive.push_back(exclusive);
    }
  }
  return ordered;
}

}  // namespace entrepot::kv
