#include "services/runtime/threads/periodic_task.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"

namespace entrepot::runtime {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr absl::Duration kLong = absl::Seconds(30);

// Destroys a task on a thread of its own, so that a test fails instead of hanging if the destructor does not return.
class Destruction {
 public:
  explicit Destruction(std::unique_ptr<PeriodicTask> task)
      : thread_([task = std::move(task), done = done_]() mutable {
          task.reset();
          done->Notify();
        }) {}
  ~Destruction() {
    if (done_->HasBeenNotified()) {
      thread_.join();
    } else {
      thread_.detach();
    }
  }
  Destruction(const Destruction&) = delete;
  Destruction& operator=(const Destruction&) = delete;

  bool EndsWithin(absl::Duration duration) const { return done_->WaitForNotificationWithTimeout(duration); }

 private:
  const std::shared_ptr<absl::Notification> done_ = std::make_shared<absl::Notification>();
  std::thread thread_;
};

TEST(PeriodicTaskTest, RunsAtOnce) {
  const auto called = std::make_shared<absl::Notification>();
  const PeriodicTask task(kLong * 2, [called] { called->Notify(); });
  EXPECT_TRUE(called->WaitForNotificationWithTimeout(kLong));
}

TEST(PeriodicTaskTest, WaitsTheIntervalBetweenCalls) {
  struct Call {
    SteadyTime start;
    SteadyTime end;
  };
  constexpr auto kInterval = std::chrono::milliseconds(20);
  absl::Mutex mutex;
  std::vector<Call> calls;
  const auto task = std::make_unique<PeriodicTask>(absl::FromChrono(kInterval), [&] {
    const SteadyTime start = std::chrono::steady_clock::now();
    // A call that takes longer than the interval must not shorten the wait after it, nor overlap the next call.
    while (std::chrono::steady_clock::now() < start + kInterval * 3 / 2) std::this_thread::yield();
    absl::MutexLock lock(&mutex);
    calls.push_back({start, std::chrono::steady_clock::now()});
  });
  ASSERT_TRUE(Eventually([&] {
    absl::MutexLock lock(&mutex);
    return calls.size() >= 4;
  }));
  absl::MutexLock lock(&mutex);
  for (size_t i = 1; i < calls.size(); ++i) EXPECT_GE(calls[i].start - calls[i - 1].end, kInterval);
}

TEST(PeriodicTaskTest, StopsDuringAnInterval) {
  const auto calls = std::make_shared<std::atomic<int>>(0);
  auto task = std::make_unique<PeriodicTask>(absl::InfiniteDuration(), [calls] { ++*calls; });
  ASSERT_TRUE(Eventually([&] { return *calls > 0; }));
  EXPECT_TRUE(Destruction(std::move(task)).EndsWithin(kLong));
  EXPECT_EQ(*calls, 1);
}

TEST(PeriodicTaskTest, StopWaitsForTheCallInProgress) {
  struct State {
    absl::Notification called;
    absl::Notification proceed;
    std::atomic<bool> ended = false;
  };
  const auto state = std::make_shared<State>();
  Destruction destruction(std::make_unique<PeriodicTask>(absl::InfiniteDuration(), [state] {
    state->called.Notify();
    state->proceed.WaitForNotification();
    state->ended = true;
  }));
  ASSERT_TRUE(state->called.WaitForNotificationWithTimeout(kLong));
  EXPECT_FALSE(destruction.EndsWithin(absl::Milliseconds(20)));
  state->proceed.Notify();
  ASSERT_TRUE(destruction.EndsWithin(kLong));
  EXPECT_TRUE(state->ended);
}

}  // namespace
}  // namespace entrepot::runtime
