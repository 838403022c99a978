#ifndef ENTREPOT_SERVICES_KV_LOCK_TABLE_H_
#define ENTREPOT_SERVICES_KV_LOCK_TABLE_H_

#include <array>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/kv/kv_engine.h"

// The locks of transactions: their order, what they allow, and the table that grants them.
namespace entrepot::kv {

// The locks in key order, each key once, exclusively if any lock of that key is exclusive. If all transactions lock in
// this order, no deadlock is possible.
std::vector<Lock> InLockingOrder(std::vector<Lock> locks);

// kInternal if `locks` (in locking order) hold `key` in shared mode only: a writer must exclude all others.
absl::Status CheckWritable(const std::vector<Lock>& locks, absl::string_view key);

// Shared and exclusive locks on keys, held by the object that Acquire returns. The locks of a key are granted in the
// order of the requests: later shared locks, however many, do not overtake a waiting exclusive one. Thread-safe.
class LockTable {
 public:
  // Releases its locks when it is destroyed. Move-only; the table must outlive it.
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

  // Takes the locks in their order, which must be locking order. kAborted if one of them is not free within `timeout`;
  // none is held then.
  absl::StatusOr<Held> Acquire(const std::vector<Lock>& locks, absl::Duration timeout);

 private:
  struct Waiter {
    LockMode mode;
    bool granted = false;
    std::condition_variable wake = {};
  };
  struct Entry {
    int shared = 0;
    bool exclusive = false;
    std::list<Waiter*> waiters;  // In the order of their requests.

    bool IsFreeFor(LockMode mode) const { return !exclusive && (mode == LockMode::kShared || shared == 0); }
    void Take(LockMode mode);
    void Release(LockMode mode);
    // Grants the lock to the first waiters, as many as may hold it now.
    void Grant();
    bool IsUnused() const { return shared == 0 && !exclusive && waiters.empty(); }
  };
  struct Shard {
    std::mutex mutex;
    // Only locked keys have an entry. Guarded by mutex.
    absl::flat_hash_map<std::string, Entry> entries;
  };

  Shard& ShardOf(absl::string_view key);
  bool AcquireOne(const Lock& lock, absl::Duration timeout);
  void ReleaseOne(const Lock& lock);

  std::array<Shard, 64> shards_;
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_LOCK_TABLE_H_
