#ifndef ENTREPOT_SERVICES_UPSTREAM_SHARED_CALLS_H_
#define ENTREPOT_SERVICES_UPSTREAM_SHARED_CALLS_H_

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace entrepot::upstream {

// Lets all that ask for the same thing at the same time share one call. Thread-safe.
template <typename Result>
class SharedCalls {
 public:
  class Call {
   public:
    // The result, as soon as there is one; nullopt if there is none `patience` after the call began. A thread that
    // joins a call that hangs already does not wait once more.
    std::optional<Result> WaitFor(std::chrono::nanoseconds patience) {
      std::unique_lock lock(mutex_);
      done_.wait_until(lock, begun_ + patience, [this] { return result_.has_value(); });
      return result_;
    }
    Result Wait() {
      std::unique_lock lock(mutex_);
      done_.wait(lock, [this] { return result_.has_value(); });
      return *result_;
    }

   private:
    friend class SharedCalls;
    const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
    std::mutex mutex_;
    std::condition_variable done_;
    std::optional<Result> result_;
  };

  struct Joined {
    std::shared_ptr<Call> call;
    // There was none: the caller must make the call, and Finish() it.
    bool is_first = false;
  };

  Joined Join(const std::string& key) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Call>& call = running_[key];
    const bool is_first = call == nullptr;
    if (is_first) call = std::make_shared<Call>();
    return {call, is_first};
  }

  // A thread that joins afterwards makes a new call.
  void Finish(const std::string& key, Call& call, Result result) {
    {
      const std::lock_guard lock(mutex_);
      running_.erase(key);
    }
    const std::lock_guard lock(call.mutex_);
    call.result_ = std::move(result);
    call.done_.notify_all();
  }

  // Joins the call of the key, or makes it by `function` on this thread.
  template <typename Function>
  Result Do(const std::string& key, Function function) {
    const Joined joined = Join(key);
    if (joined.is_first) Finish(key, *joined.call, function());
    return joined.call->Wait();
  }

 private:
  std::mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<Call>> running_;  // Guarded by mutex_.
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_SHARED_CALLS_H_
