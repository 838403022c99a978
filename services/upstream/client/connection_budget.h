#ifndef ENTREPOT_SERVICES_UPSTREAM_CLIENT_CONNECTION_BUDGET_H_
#define ENTREPOT_SERVICES_UPSTREAM_CLIENT_CONNECTION_BUDGET_H_

#include <condition_variable>
#include <cstddef>
#include <list>
#include <mutex>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace entrepot::upstream {

// How many requests to an upstream run at a time. The others wait for their turn, in the order in which they came.
// Blobs, which may take hours, use at most three quarters of the turns, so that a manifest does not wait for them.
// Thread-safe.
class ConnectionBudget {
 public:
  enum class Use { kBlob, kOther };

  // The right to send a request; ends with this object.
  class Turn {
   public:
    Turn(Turn&& other) noexcept : budget_(std::exchange(other.budget_, nullptr)), use_(other.use_) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (budget_ != nullptr) budget_->End(use_);
    }

   private:
    friend class ConnectionBudget;
    Turn(ConnectionBudget* budget, Use use) : budget_(budget), use_(use) {}

    ConnectionBudget* budget_;
    const Use use_;
  };

  // `connections_max` is one or more.
  explicit ConnectionBudget(size_t connections_max, size_t waiting_max = 4096);
  // All turns must have ended, and no caller may wait.
  ~ConnectionBudget() = default;
  ConnectionBudget(const ConnectionBudget&) = delete;
  ConnectionBudget& operator=(const ConnectionBudget&) = delete;

  // kUnavailable: the turn did not come within `patience`, or `waiting_max` callers wait. kCancelled: after Stop().
  absl::StatusOr<Turn> Take(Use use, absl::Duration patience);
  // Ends all waits, at once and later.
  void Stop();

  size_t waiting() const;

 private:
  struct Waiter {
    Use use;
    bool admitted = false;
    std::condition_variable changed;
  };

  void End(Use use);
  // Both with mutex_ held.
  bool HasRoom(Use use) const;
  void AdmitWaiters();

  const size_t running_max_;
  const size_t running_blobs_max_;
  const size_t waiting_max_;
  // Not of absl, whose waits with a limit follow the system's clock.
  mutable std::mutex mutex_;
  // Guarded by mutex_, as all that follows.
  size_t running_ = 0;
  size_t running_blobs_ = 0;
  bool stopped_ = false;
  std::list<Waiter*> waiters_;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_CLIENT_CONNECTION_BUDGET_H_
