#ifndef ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_LOCKS_H_
#define ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_LOCKS_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "services/kv/kv_engine.h"

namespace entrepot::kv {

// The id of the advisory lock that guards a key: the first 64 bits of its SHA-256. Frozen, because two versions of the
// program run side by side during a roll-out. Two keys with one id only wait for each other.
int64_t LockIdOf(absl::string_view key);

// Locks of the database as they are taken: each id once, exclusively if any lock of it is exclusive, in the order of
// the ids. All transactions of all processes take them in this order, in one statement, so no deadlock is possible.
struct PostgresLocks {
  std::vector<int64_t> ids;
  std::vector<bool> exclusive;  // For each id.

  bool any_exclusive() const;
};

PostgresLocks InIdOrder(std::vector<Lock> locks);

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_LOCKS_H_
