#include "services/upstream/client/connection_budget.h"

#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/status/status_matchers.h"

namespace entrepot::upstream {
namespace {

using Turn = ConnectionBudget::Turn;
using Use = ConnectionBudget::Use;

constexpr absl::Duration kLong = absl::Minutes(10);

TEST(ConnectionBudgetTest, LetsAsManyRunAsItHasTurns) {
  ConnectionBudget budget(2);
  std::vector<Turn> turns;
  for (int i = 0; i < 2; ++i) {
    auto turn = budget.Take(Use::kOther, kLong);
    ASSERT_OK(turn);
    turns.push_back(*std::move(turn));
  }
  EXPECT_THAT(budget.Take(Use::kOther, absl::Milliseconds(1)), StatusIs(absl::StatusCode::kUnavailable));
  turns.pop_back();
  EXPECT_OK(budget.Take(Use::kOther, kLong));
  EXPECT_EQ(budget.waiting(), 0u);
}

TEST(ConnectionBudgetTest, KeepsAQuarterForOtherRequestsThanBlobs) {
  ConnectionBudget budget(4);
  std::vector<Turn> turns;
  for (int i = 0; i < 3; ++i) {
    auto turn = budget.Take(Use::kBlob, kLong);
    ASSERT_OK(turn);
    turns.push_back(*std::move(turn));
  }
  EXPECT_THAT(budget.Take(Use::kBlob, absl::Milliseconds(1)), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_OK(budget.Take(Use::kOther, kLong));
}

TEST(ConnectionBudgetTest, LetsABlobUseTheOnlyTurn) {
  ConnectionBudget budget(1);
  EXPECT_OK(budget.Take(Use::kBlob, kLong));
}

TEST(ConnectionBudgetTest, ServesWaitersInTheirOrder) {
  ConnectionBudget budget(1);
  auto first = budget.Take(Use::kOther, kLong);
  ASSERT_OK(first);
  std::optional<Turn> held(*std::move(first));
  std::mutex mutex;
  std::string order;
  std::vector<std::thread> threads;
  for (const char name : {'a', 'b', 'c'}) {
    threads.emplace_back([&, name] {
      const auto turn = budget.Take(Use::kOther, kLong);
      ASSERT_OK(turn);
      const std::lock_guard lock(mutex);
      order.push_back(name);
    });
    ASSERT_TRUE(Eventually([&] { return budget.waiting() == threads.size(); }));
  }
  held.reset();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(order, "abc");
}

TEST(ConnectionBudgetTest, BoundsTheWaiters) {
  ConnectionBudget budget(1, /*waiting_max=*/1);
  auto turn = budget.Take(Use::kOther, kLong);
  ASSERT_OK(turn);
  std::thread waiter([&] { EXPECT_THAT(budget.Take(Use::kOther, kLong), StatusIs(absl::StatusCode::kCancelled)); });
  ASSERT_TRUE(Eventually([&] { return budget.waiting() == 1; }));
  EXPECT_THAT(budget.Take(Use::kOther, kLong), StatusIs(absl::StatusCode::kUnavailable));
  budget.Stop();
  waiter.join();
  EXPECT_THAT(budget.Take(Use::kOther, kLong), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace entrepot::upstream
