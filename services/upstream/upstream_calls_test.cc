#include "services/upstream/upstream_calls.h"

#include <atomic>
#include <latch>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/status/oci_error.h"
#include "services/status/retry_after.h"
#include "services/status/status_matchers.h"

namespace entrepot::upstream {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Whether `latch` opens in time: a call that never comes fails the test instead of hanging it.
bool Opens(const std::latch& latch) {
  return Eventually([&] { return latch.try_wait(); });
}

TEST(UpstreamCallsTest, LeavesThreadsForOtherUpstreams) {
  std::latch answered(1);
  std::latch both_hang(2);
  std::latch others(3);
  std::latch ended(5);
  std::atomic<int> begun = 0;
  runtime::Executor executor(4);
  UpstreamCalls calls(&executor);
  for (int i = 0; i < 5; ++i) {
    calls.Post("hangs.example/team/app", "", [&](const absl::Status& turn) {
      EXPECT_OK(turn);
      if (++begun <= 2) both_hang.count_down();
      answered.wait();
      ended.count_down();
    });
  }
  EXPECT_TRUE(Opens(both_hang));
  for (int i = 0; i < 3; ++i) {
    calls.Post("works.example/team/app", "", [&](const absl::Status&) { others.count_down(); });
  }
  EXPECT_TRUE(Opens(others));
  EXPECT_EQ(begun, 2);
  answered.count_down();
  EXPECT_TRUE(Opens(ended));
}

TEST(UpstreamCallsTest, RunsTheCallsOfAnUpstreamInOrder) {
  std::latch begin(1);
  std::vector<int> order;
  {
    runtime::Executor executor(1);
    UpstreamCalls calls(&executor);
    calls.Post("a.example/x", "", [&](const absl::Status&) { begin.wait(); });
    for (int i = 0; i < 4; ++i) calls.Post("a.example/y", "", [&order, i](const absl::Status&) { order.push_back(i); });
    begin.count_down();
    // The executor runs all of them before it ends.
  }
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3));
}

TEST(UpstreamCallsTest, RefusesMoreThanMayWait) {
  std::latch answered(1);
  std::latch other(1);
  std::latch again(1);
  std::atomic<int> ended = 0;
  runtime::Executor executor(2);
  UpstreamCalls calls(&executor, /*waiting_max=*/2);
  const auto hang = [&](const absl::Status& turn) {
    EXPECT_OK(turn);
    answered.wait();
    ++ended;
  };
  for (int i = 0; i < 3; ++i) calls.Post("hangs.example/x", "", hang);
  absl::Status refusal;
  calls.Post("hangs.example/x", "", [&](const absl::Status& turn) { refusal = turn; });
  EXPECT_THAT(refusal, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(GetOciErrorDetail(refusal), HasSubstr("2 requests wait for the upstream \"hangs.example\""));
  EXPECT_TRUE(GetRetryAfter(refusal).has_value());
  calls.Post("works.example/x", "", [&](const absl::Status& turn) {
    EXPECT_OK(turn);
    other.count_down();
  });
  EXPECT_TRUE(Opens(other));
  answered.count_down();
  // Once they have ended, there is room again.
  EXPECT_TRUE(Eventually([&] { return ended == 3; }));
  calls.Post("hangs.example/x", "", [&](const absl::Status& turn) {
    EXPECT_OK(turn);
    again.count_down();
  });
  EXPECT_TRUE(Opens(again));
}

TEST(UpstreamCallsTest, GivesTheNextTurnToTheClientWithFewestRunning) {
  std::latch end_greedy(1);
  std::latch end_one(1);
  std::latch begun(2);
  absl::Mutex mutex;
  std::vector<std::string> order;
  {
    runtime::Executor executor(4);  // Two calls of an upstream run at once.
    UpstreamCalls calls(&executor);
    const auto note = [&](const std::string& who) {
      return [&, who](const absl::Status& turn) {
        EXPECT_OK(turn);
        const absl::MutexLock lock(&mutex);
        order.push_back(who);
      };
    };
    calls.Post("a.example/x", "account greedy", [&](const absl::Status&) {
      begun.count_down();
      end_greedy.wait();
    });
    calls.Post("a.example/x", "account greedy", [&](const absl::Status&) {
      begun.count_down();
      end_one.wait();
    });
    EXPECT_TRUE(Opens(begun));
    for (int i = 0; i < 3; ++i) calls.Post("a.example/x", "account greedy", note("greedy"));
    calls.Post("a.example/x", "network 192.0.2.1", note("modest"));
    end_one.count_down();
    EXPECT_TRUE(Eventually([&] {
      const absl::MutexLock lock(&mutex);
      return order.size() == 4;
    }));
    end_greedy.count_down();
  }
  EXPECT_THAT(order, ElementsAre("modest", "greedy", "greedy", "greedy"));
}

TEST(UpstreamCallsTest, OneClientCannotTakeAllPlacesToWait) {
  std::latch answered(1);
  runtime::Executor executor(2);
  UpstreamCalls calls(&executor, /*waiting_max=*/4);
  std::latch ended(5);
  const auto hang = [&](const absl::Status& turn) {
    EXPECT_OK(turn);
    answered.wait();
    ended.count_down();
  };
  for (int i = 0; i < 3; ++i) calls.Post("hangs.example/x", "account greedy", hang);
  absl::Status refusal;
  calls.Post("hangs.example/x", "account greedy", [&](const absl::Status& turn) { refusal = turn; });
  EXPECT_THAT(GetOciErrorDetail(refusal), HasSubstr("more than 2 requests of this account or address wait"));
  EXPECT_TRUE(GetRetryAfter(refusal).has_value());
  calls.Post("hangs.example/x", "network 192.0.2.1", hang);
  calls.Post("hangs.example/x", "", hang);
  answered.count_down();
  EXPECT_TRUE(Opens(ended));
}

TEST(UpstreamCallsTest, MayEndBeforeItsCalls) {
  std::latch end(1);
  std::latch begun(1);
  std::latch ended(2);
  runtime::Executor executor(2);
  auto calls = std::make_unique<UpstreamCalls>(&executor);
  calls->Post("a.example/x", "", [&](const absl::Status& turn) {
    EXPECT_OK(turn);
    begun.count_down();
    end.wait();
    ended.count_down();
  });
  // It waits for the turn of the first one.
  calls->Post("a.example/x", "", [&](const absl::Status& turn) {
    EXPECT_OK(turn);
    ended.count_down();
  });
  EXPECT_TRUE(Opens(begun));
  calls.reset();
  end.count_down();
  EXPECT_TRUE(Opens(ended));
}

}  // namespace
}  // namespace entrepot::upstream
