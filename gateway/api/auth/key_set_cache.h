#ifndef ENTREPOT_GATEWAY_API_AUTH_KEY_SET_CACHE_H_
#define ENTREPOT_GATEWAY_API_AUTH_KEY_SET_CACHE_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "boost/asio/awaitable.hpp"
#include "boost/asio/steady_timer.hpp"
#include "gateway/backends/auth_backend.h"
#include "services/core/time/clock.h"
#include "services/token/key_set.h"
#include "services/token/registry_token.h"

namespace entrepot::gateway::api {

// What tokens are verified with. Immutable.
struct VerificationKeys {
  token::KeySet keys;
  std::string key_set_json;
  token::ExpectedToken expected;
  uint64_t generation = 0;  // Another one whenever anything of the above has changed.
};

// The auth service's verification keys, kept: fetched when they are first needed, looked at again now and then, and at
// once where somebody has seen a token of a key that is not among them. One fetch at a time serves all who wait, and
// there is a bound on how many there are in a time, so that made-up tokens cause no load. Where a fetch fails the old
// keys stay. Thread-safe; coroutines run on executors of one thread each.
class KeySetCache {
 public:
  using Keys = std::shared_ptr<const VerificationKeys>;

  struct Options {
    absl::Duration refresh_interval = absl::Minutes(1);
    absl::Duration retry_interval = absl::Seconds(5);
    // From one fetch's start to the next one's.
    absl::Duration fetch_interval_min = absl::Seconds(1);
  };

  // Both must outlive it and all its coroutines, as it must outlive them itself.
  KeySetCache(AuthBackend* auth, const Clock* clock, const Options& options);
  KeySetCache(const KeySetCache&) = delete;
  KeySetCache& operator=(const KeySetCache&) = delete;

  // The generation of the keys now; 0 before there are any.
  uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
  // Whether the keys should be looked at again.
  bool IsRefreshDue(absl::Time now) const;
  // The same, true for one caller, who then waits for NextFetch().
  bool ClaimRefresh(absl::Time now);

  // The keys that there are; where there are none yet, the first.
  boost::asio::awaitable<absl::StatusOr<Keys>> Get(const CallContext& call);
  // What a fetch that begins from now on is called, at least.
  uint64_t NextFetch();
  // The keys once the fetch of that name, or a later one, has ended; an error where that failed.
  boost::asio::awaitable<absl::StatusOr<Keys>> AwaitFetch(const CallContext& call, uint64_t number);
  // The same for the next fetch to end: one that is under way, or a new one.
  boost::asio::awaitable<absl::StatusOr<Keys>> AwaitAnyFetch(const CallContext& call);

 private:
  class Lead;

  boost::asio::awaitable<void> Fetch(const CallContext& call);
  void Take(absl::StatusOr<VerificationKeys> fetched, uint64_t number);
  void WakeAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  AuthBackend* const auth_;
  const Clock* const clock_;
  const Options options_;
  const int64_t far_millis_;  // Further off than any refresh is.
  std::atomic<uint64_t> generation_{0};
  std::atomic<int64_t> due_unix_millis_{0};

  absl::Mutex mutex_;
  Keys keys_ ABSL_GUARDED_BY(mutex_);
  absl::Status last_error_ ABSL_GUARDED_BY(mutex_);
  bool fetching_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t started_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t ended_ ABSL_GUARDED_BY(mutex_) = 0;
  std::chrono::steady_clock::time_point next_start_ ABSL_GUARDED_BY(mutex_);
  // Each belongs to a coroutine that waits for a fetch of another.
  std::vector<std::weak_ptr<boost::asio::steady_timer>> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_AUTH_KEY_SET_CACHE_H_
