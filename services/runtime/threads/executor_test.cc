#include "services/runtime/threads/executor.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/detached.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/use_future.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/runtime/threads/executor_awaitable.h"

namespace entrepot::runtime {
namespace {

namespace asio = boost::asio;

TEST(ExecutorTest, OneThreadRunsJobsInTheirOrder) {
  std::vector<int> order;
  {
    Executor executor(1);
    for (int i = 0; i < 100; ++i) executor.Post([&order, i] { order.push_back(i); });
  }
  ASSERT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(ExecutorTest, DestructionRunsPostedJobs) {
  std::atomic<int> ran{0};
  {
    Executor executor(3);
    for (int i = 0; i < 1000; ++i) executor.Post([&ran] { ++ran; });
  }
  EXPECT_EQ(ran, 1000);
}

TEST(ExecutorTest, AJobMayPostAnother) {
  std::promise<int> done;
  Executor executor(1);
  executor.Post([&] { executor.Post([&] { done.set_value(7); }); });
  EXPECT_EQ(done.get_future().get(), 7);
}

TEST(ExecutorTest, AcceptsMoveOnlyJobs) {
  std::promise<int> done;
  Executor executor(1);
  executor.Post([&done, value = std::make_unique<int>(7)] { done.set_value(*value); });
  EXPECT_EQ(done.get_future().get(), 7);
}

TEST(ExecutorTest, RunsAsManyJobsAtOnceAsItHasThreads) {
  Executor executor(4);
  EXPECT_EQ(executor.threads(), 4u);
  // The latch opens only if all four jobs run at the same time.
  std::latch together(4);
  std::latch done(4);
  for (int i = 0; i < 4; ++i) {
    executor.Post([&] {
      together.arrive_and_wait();
      done.count_down();
    });
  }
  done.wait();
}

TEST(ExecutorTest, ReportsWaitingAndRunningJobs) {
  std::promise<void> started, release;
  std::shared_future<void> released = release.get_future().share();
  std::optional<Executor> executor(1);
  executor->Post([&started, released] {
    started.set_value();
    released.wait();
  });
  started.get_future().wait();
  for (int i = 0; i < 3; ++i) executor->Post([] {});
  EXPECT_EQ(executor->threads_busy(), 1u);
  EXPECT_EQ(executor->queue_depth(), 3u);
  std::promise<void> last;
  executor->Post([&last] { last.set_value(); });
  release.set_value();
  last.get_future().wait();
  EXPECT_EQ(executor->queue_depth(), 0u);
}

// Runs `coroutine` to its end on an io_context of this thread.
template <typename T>
T RunCoroutine(asio::awaitable<T> coroutine) {
  asio::io_context io(1);
  std::future<T> future = asio::co_spawn(io, std::move(coroutine), asio::use_future);
  io.run();
  return future.get();
}

TEST(RunOnTest, RunsElsewhereAndResumesHere) {
  Executor executor(1);
  const std::thread::id here = std::this_thread::get_id();
  RunCoroutine([](Executor& executor, std::thread::id here) -> asio::awaitable<void> {
    const std::thread::id there = co_await RunOn(executor, [] { return std::this_thread::get_id(); });
    EXPECT_NE(there, here);
    EXPECT_EQ(std::this_thread::get_id(), here);
  }(executor, here));
}

TEST(RunOnTest, ReturnsAnyMovableTypeAndVoid) {
  Executor executor(2);
  RunCoroutine([](Executor& executor) -> asio::awaitable<void> {
    const auto pointer = co_await RunOn(executor, [] { return std::make_unique<int>(7); });
    EXPECT_EQ(*pointer, 7);
    // The result needs no default constructor.
    const absl::StatusOr<std::string> result =
        co_await RunOn(executor, []() -> absl::StatusOr<std::string> { return absl::NotFoundError("gone"); });
    EXPECT_EQ(result.status(), absl::NotFoundError("gone"));
    bool ran = false;
    co_await RunOn(executor, [&ran] { ran = true; });
    EXPECT_TRUE(ran);
  }(executor));
}

TEST(RunOnTest, ManyCoroutinesWaitTogether) {
  Executor executor(3);
  asio::io_context io(1);
  int done = 0;
  for (int i = 0; i < 500; ++i) {
    asio::co_spawn(
        io,
        [](Executor& executor, int i, int& done) -> asio::awaitable<void> {
          for (int j = 0; j < 5; ++j) {
            const int got = co_await RunOn(executor, [=] { return i * 5 + j; });
            EXPECT_EQ(got, i * 5 + j);
          }
          ++done;
        }(executor, i, done),
        asio::detached);
  }
  io.run();
  EXPECT_EQ(done, 500);
}

TEST(RunOnTest, AStoppedContextDestroysTheCoroutineWithoutResumingIt) {
  struct SetOnDestruction {
    bool& destroyed;
    ~SetOnDestruction() { destroyed = true; }
  };
  bool destroyed = false, resumed = false;
  {
    asio::io_context io(1);
    std::promise<void> started, release;
    {
      Executor executor(1);
      asio::co_spawn(
          io,
          [](Executor& executor, std::promise<void>& started, std::future<void> released, bool& destroyed,
             bool& resumed) -> asio::awaitable<void> {
            SetOnDestruction guard{destroyed};
            co_await RunOn(executor, [&] {
              started.set_value();
              released.wait();
            });
            resumed = true;
          }(executor, started, release.get_future(), destroyed, resumed),
          asio::detached);
      io.poll();
      started.get_future().wait();
      io.stop();
      release.set_value();
    }
    EXPECT_FALSE(destroyed);
  }
  EXPECT_TRUE(destroyed);
  EXPECT_FALSE(resumed);
}

}  // namespace
}  // namespace entrepot::runtime
