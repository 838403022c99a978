#ifndef ENTREPOT_SERVICES_KV_LOCK_LIST_H_
#define ENTREPOT_SERVICES_KV_LOCK_LIST_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/kv/kv_engine.h"

namespace entrepot::kv {

// In key order, each key once, exclusive where any lock on it is. The order is what makes deadlocks impossible.
std::vector<Lock> InLockingOrder(std::vector<Lock> locks);

// kInternal where `locks` (in locking order) hold `key` in shared mode only: a writer must exclude the others.
absl::Status CheckWritable(const std::vector<Lock>& locks, absl::string_view key);

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_LOCK_LIST_H_
