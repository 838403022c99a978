#ifndef ENTREPOT_SERVICES_KV_LOCK_TABLE_H_
#define ENTREPOT_SERVICES_KV_LOCK_TABLE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/kv/kv_engine.h"

namespace entrepot::kv {

// Shared and exclusive locks on keys, held by whoever holds the object that Acquire returns. Thread-safe.
class LockTable {
 public:
  // Gives its locks back with its end. Move-only; the table must outlive it.
  class Held {
   public:
    Held(Held&& other) noexcept : table_(std::exchange(other.table_, nullptr)), locks_(std::move(other.locks_)) {}
    Held& operator=(Held&&) = delete;
    ~Held();

   private:
    friend class LockTable;
    explicit Held(LockTable* table) : table_(table) {}

    LockTable* table_;
    std::vector<Lock> locks_;
  };

  // Takes them in their order, which must be locking order. kAborted: `timeout` went by for one of them; none is held
  // then.
  absl::StatusOr<Held> Acquire(const std::vector<Lock>& locks, absl::Duration timeout);

 private:
  struct Holders {
    int shared = 0;
    bool exclusive = false;
  };

  bool IsFree(const Lock& lock) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  // Only of keys that are locked.
  absl::flat_hash_map<std::string, Holders> holders_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_LOCK_TABLE_H_
