#include "gateway/api/auth/key_set_cache.h"

#include <chrono>
#include <utility>

#include "boost/asio/post.hpp"
#include "boost/asio/redirect_error.hpp"
#include "boost/asio/this_coro.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "services/runtime/log/json_log.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

namespace asio = boost::asio;
using asio::awaitable;

// A waiter checks for itself after this time, in case it was not woken.
constexpr std::chrono::seconds kWaitMax{5};

absl::StatusOr<VerificationKeys> Parse(auth::v1::GetVerificationResponse response) {
  VerificationKeys keys;
  ASSIGN_OR_RETURN(keys.keys, token::KeySet::Parse(response.key_set_json()));
  if (response.issuer().empty() || response.service().empty()) {
    return absl::InternalError("the auth service's response has no issuer or no service");
  }
  keys.key_set_json = std::move(*response.mutable_key_set_json());
  keys.expected = {std::move(*response.mutable_issuer()), std::move(*response.mutable_service())};
  return keys;
}

bool Same(const VerificationKeys& a, const VerificationKeys& b) {
  return a.key_set_json == b.key_set_json && a.expected.issuer == b.expected.issuer &&
         a.expected.audience == b.expected.audience;
}

awaitable<void> Wait(asio::steady_timer& timer) {
  boost::system::error_code cancelled;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
}

}  // namespace

// Marks a fetch as under way. Its end, however it comes, lets others fetch again.
class KeySetCache::FetchGuard {
 public:
  explicit FetchGuard(KeySetCache* cache) : cache_(cache) {}
  ~FetchGuard() {
    absl::MutexLock lock(&cache_->mutex_);
    cache_->fetching_ = false;
    cache_->WakeAll();
  }
  FetchGuard(const FetchGuard&) = delete;
  FetchGuard& operator=(const FetchGuard&) = delete;

 private:
  KeySetCache* const cache_;
};

KeySetCache::KeySetCache(AuthBackend* auth, const Clock* clock, const Options& options)
    : auth_(auth),
      clock_(clock),
      options_(options),
      far_millis_(absl::ToInt64Milliseconds(options.refresh_interval + options.retry_interval)) {}

bool KeySetCache::IsRefreshDue(absl::Time now) const {
  const int64_t due = due_unix_millis_.load(std::memory_order_relaxed);
  const int64_t now_millis = absl::ToUnixMillis(now);
  // A clock that is set back must not delay the refresh.
  return now_millis >= due || due - now_millis > far_millis_;
}

bool KeySetCache::ClaimRefresh(absl::Time now) {
  int64_t due = due_unix_millis_.load(std::memory_order_relaxed);
  if (!IsRefreshDue(now)) return false;
  return due_unix_millis_.compare_exchange_strong(due, absl::ToUnixMillis(now + options_.retry_interval));
}

awaitable<absl::StatusOr<KeySetCache::Keys>> KeySetCache::Get(const CallContext& call) {
  {
    absl::MutexLock lock(&mutex_);
    if (keys_ != nullptr) co_return keys_;
  }
  co_return co_await AwaitAnyFetch(call);
}

uint64_t KeySetCache::NextFetch() {
  absl::MutexLock lock(&mutex_);
  return started_ + 1;
}

awaitable<absl::StatusOr<KeySetCache::Keys>> KeySetCache::AwaitAnyFetch(const CallContext& call) {
  uint64_t number = 0;
  {
    absl::MutexLock lock(&mutex_);
    number = ended_ + 1;
  }
  co_return co_await AwaitFetch(call, number);
}

awaitable<absl::StatusOr<KeySetCache::Keys>> KeySetCache::AwaitFetch(const CallContext& call, uint64_t number) {
  const auto executor = co_await asio::this_coro::executor;
  for (;;) {
    std::shared_ptr<asio::steady_timer> timer;
    {
      absl::MutexLock lock(&mutex_);
      if (ended_ >= number && !last_error_.ok()) co_return last_error_;
      if (ended_ >= number) co_return keys_;
      if (fetching_) {
        timer = std::make_shared<asio::steady_timer>(executor, kWaitMax);
        waiting_.push_back(timer);
      } else {
        fetching_ = true;
      }
    }
    if (timer != nullptr) {
      co_await Wait(*timer);
    } else {
      co_await Fetch(call);
    }
  }
}

awaitable<void> KeySetCache::Fetch(const CallContext& call) {
  const FetchGuard guard(this);
  asio::steady_timer timer(co_await asio::this_coro::executor);
  {
    absl::MutexLock lock(&mutex_);
    timer.expires_at(next_start_);
  }
  co_await Wait(timer);
  uint64_t number = 0;
  {
    absl::MutexLock lock(&mutex_);
    number = ++started_;
    next_start_ = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(options_.fetch_interval_min);
  }
  absl::StatusOr<auth::v1::GetVerificationResponse> response = co_await auth_->GetVerification(call);
  Store(response.ok() ? Parse(*std::move(response)) : response.status(), number);
}

void KeySetCache::Store(absl::StatusOr<VerificationKeys> fetched, uint64_t number) {
  const absl::Duration next = fetched.ok() ? options_.refresh_interval : options_.retry_interval;
  due_unix_millis_.store(absl::ToUnixMillis(clock_->Now() + next), std::memory_order_relaxed);
  if (!fetched.ok()) {
    runtime::Log(runtime::LogLevel::kWarning, "cannot fetch the keys to verify tokens with",
                 {{"reason", absl::string_view(fetched.status().message())}});
  }
  absl::MutexLock lock(&mutex_);
  ended_ = number;
  last_error_ = fetched.status();
  if (!fetched.ok() || (keys_ != nullptr && Same(*keys_, *fetched))) return;
  fetched->generation = number;
  keys_ = std::make_shared<const VerificationKeys>(*std::move(fetched));
  generation_.store(number, std::memory_order_release);
}

void KeySetCache::WakeAll() {
  for (const std::weak_ptr<asio::steady_timer>& waiting : waiting_) {
    const std::shared_ptr<asio::steady_timer> timer = waiting.lock();
    if (timer == nullptr) continue;
    // On the waiter's own thread, so never before it waits.
    asio::post(timer->get_executor(), [timer] { timer->cancel(); });
  }
  waiting_.clear();
}

}  // namespace entrepot::gateway::api
