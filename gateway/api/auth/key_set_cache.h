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

// The keys and claims that tokens are verified with. Immutable.
struct VerificationKeys {
  token::KeySet keys;
  std::string key_set_json;
  token::ExpectedToken expected;
  uint64_t generation = 0;  // Differs whenever any of the above differs.
};

// Caches the auth service's verification keys. They are fetched when first needed, refreshed periodically, and fetched
// at once when a token was signed with an unknown key. One fetch at a time serves all waiters, and the rate of fetches
// is bounded, so that forged tokens cause no load. If a fetch fails, the old keys stay. Thread-safe; each coroutine
// must run on an executor with a single thread.
class KeySetCache {
 public:
  using Keys = std::shared_ptr<const VerificationKeys>;

  struct Options {
    absl::Duration refresh_interval = absl::Minutes(1);
    absl::Duration retry_interval = absl::Seconds(5);
    // Between the starts of two fetches.
    absl::Duration fetch_interval_min = absl::Seconds(1);
  };

  // Both must outlive it. It must outlive its coroutines.
  KeySetCache(AuthBackend* auth, const Clock* clock, const Options& options);
  KeySetCache(const KeySetCache&) = delete;
  KeySetCache& operator=(const KeySetCache&) = delete;

  // The generation of the current keys; 0 before the first fetch.
  uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
  // Whether the keys should be refreshed.
  bool IsRefreshDue(absl::Time now) const;
  // The same, but true for one caller only, which must then await AwaitFetch(call, NextFetch()).
  bool ClaimRefresh(absl::Time now);

  // The current keys; awaits the first fetch if there are none yet.
  boost::asio::awaitable<absl::StatusOr<Keys>> Get(const CallContext& call);
  // The smallest number of a fetch that begins from now on.
  uint64_t NextFetch();
  // The keys after the fetch with this number or a later one has ended; its error if it failed.
  boost::asio::awaitable<absl::StatusOr<Keys>> AwaitFetch(const CallContext& call, uint64_t number);
  // The same for the next fetch to end: the one under way, or a new one.
  boost::asio::awaitable<absl::StatusOr<Keys>> AwaitAnyFetch(const CallContext& call);

 private:
  class FetchGuard;

  boost::asio::awaitable<void> Fetch(const CallContext& call);
  void Store(absl::StatusOr<VerificationKeys> fetched, uint64_t number);
  void WakeAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  AuthBackend* const auth_;
  const Clock* const clock_;
  const Options options_;
  const int64_t far_millis_;  // No refresh is due later than this from now.
  std::atomic<uint64_t> generation_{0};
  std::atomic<int64_t> due_unix_millis_{0};

  absl::Mutex mutex_;
  Keys keys_ ABSL_GUARDED_BY(mutex_);
  absl::Status last_error_ ABSL_GUARDED_BY(mutex_);
  bool fetching_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t started_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t ended_ ABSL_GUARDED_BY(mutex_) = 0;
  std::chrono::steady_clock::time_point next_start_ ABSL_GUARDED_BY(mutex_);
  // Each belongs to a coroutine that waits for another coroutine's fetch.
  std::vector<std::weak_ptr<boost::asio::steady_timer>> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_AUTH_KEY_SET_CACHE_H_
