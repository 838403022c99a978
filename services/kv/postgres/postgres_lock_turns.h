#ifndef ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_LOCK_TURNS_H_
#define ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_LOCK_TURNS_H_

#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/kv/postgres/postgres_metrics.h"

namespace entrepot::kv {

// Bounds the locks that the large transactions of this process hold in the database at once: all processes share the
// table of its locks, and if it is full, every write fails. Thread-safe.
//
// A large transaction waits until those before it leave room, in the order of the requests. One with more than
// `locks_max` locks runs while no other large one does. A transaction with up to kSmallTransactionLocks locks never
// waits here: `connections_max` bounds those, and a queue of large ones must not stop them.
class PostgresLockTurns {
 public:
  static constexpr int64_t kSmallTransactionLocks = 128;

  // Gives the room back when it is destroyed. Move-only.
  class Turn {
   public:
    Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)), locks_(other.locks_) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn();

   private:
    friend class PostgresLockTurns;
    Turn(PostgresLockTurns* turns, int64_t locks) : turns_(turns), locks_(locks) {}

    PostgresLockTurns* turns_;
    int64_t locks_;
  };

  // `metrics` must outlive it.
  PostgresLockTurns(int64_t locks_max, PostgresMetrics* metrics);

  // kUnavailable if there is no room for so many locks within `wait`; the message names the bound.
  absl::StatusOr<Turn> Acquire(int64_t locks, absl::Duration wait);

 private:
  struct Waiter {
    int64_t locks;
    bool granted = false;
    std::condition_variable wake = {};
  };

  // Grants the first waiters their turns, as many as there is room for.
  void Grant();

  const int64_t locks_max_;
  PostgresMetrics& metrics_;
  std::mutex mutex_;
  // Both below are guarded by mutex_.
  int64_t held_ = 0;
  std::list<Waiter*> waiters_;  // In the order of their requests.
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_LOCK_TURNS_H_
