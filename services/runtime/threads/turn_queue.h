#ifndef ENTREPOT_SERVICES_RUNTIME_THREADS_TURN_QUEUE_H_
#define ENTREPOT_SERVICES_RUNTIME_THREADS_TURN_QUEUE_H_

#include <chrono>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "boost/asio/any_io_executor.hpp"
#include "boost/asio/awaitable.hpp"
#include "boost/asio/steady_timer.hpp"

namespace entrepot::runtime {

// Lets few coroutines do a kind of work at once. The others wait. The next turn goes to the holder that has the fewest,
// and among those to the coroutine that came first, so that no holder keeps the others out, however many of its own
// wait. Both the queue and each holder's part of it are bounded. Thread-safe.
class TurnQueue {
 public:
  struct Options {
    size_t running_max = 1;
    size_t waiting_max = 0;
    size_t waiting_of_holder_max = 0;
    // How long a coroutine waits at most.
    std::chrono::nanoseconds patience{};
  };

  enum class Refusal {
    kFull,        // waiting_max coroutines wait.
    kHolderFull,  // waiting_of_holder_max coroutines of the holder wait.
    kTooLong,     // The turn did not come within `patience`.
  };

  // The right to work; ends with this object, on any thread.
  class Turn {
   public:
    Turn() = default;
    Turn(Turn&& other) noexcept : queue_(std::exchange(other.queue_, nullptr)), holder_(std::move(other.holder_)) {}
    Turn& operator=(Turn&& other) noexcept {
      std::swap(queue_, other.queue_);
      std::swap(holder_, other.holder_);
      return *this;
    }
    ~Turn() {
      if (queue_ != nullptr) queue_->End(holder_);
    }

   private:
    friend class TurnQueue;
    Turn(TurnQueue* queue, std::string holder) : queue_(queue), holder_(std::move(holder)) {}

    TurnQueue* queue_ = nullptr;
    std::string holder_;
  };

  explicit TurnQueue(const Options& options) : options_(options) {}
  // All turns must have ended, and no coroutine may wait.
  ~TurnQueue() = default;

  TurnQueue(const TurnQueue&) = delete;
  TurnQueue& operator=(const TurnQueue&) = delete;

  // Resumes on the caller's executor, which must run on one thread.
  boost::asio::awaitable<std::variant<Turn, Refusal>> Take(std::string holder);

  size_t waiting() const;

 private:
  class Waiter;

  // Whether there is a turn for the holder now, which it then has.
  bool BeginLocked(const std::string& holder) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void End(const std::string& holder);
  void EndLocked(const std::string& holder) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  mutable absl::Mutex mutex_;
  size_t running_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, size_t> running_of_ ABSL_GUARDED_BY(mutex_);  // By holder; no zeros.
  std::list<Waiter*> waiting_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, size_t> waiting_of_ ABSL_GUARDED_BY(mutex_);  // By holder; no zeros.
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_THREADS_TURN_QUEUE_H_
