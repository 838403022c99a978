#include "services/kv/postgres/postgres_lock_turns.h"

#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::kv {
namespace {

using testing::HasSubstr;

using Turn = std::optional<absl::StatusOr<PostgresLockTurns::Turn>>;

class PostgresLockTurnsTest : public testing::Test {
 protected:
  static constexpr absl::Duration kLong = absl::Seconds(20);
  static constexpr absl::Duration kShort = absl::Milliseconds(20);

  PostgresMetrics metrics_;
  PostgresLockTurns turns_{1000, &metrics_};
};

TEST_F(PostgresLockTurnsTest, BoundsTheSumAndNamesTheBound) {
  Turn first(turns_.Acquire(600, kShort));
  const Turn second(turns_.Acquire(400, kShort));
  EXPECT_OK(*first);
  EXPECT_OK(*second);
  const absl::Status refused = turns_.Acquire(500, kShort).status();
  EXPECT_EQ(GetOciErrorCode(refused), OciErrorCode::kUnavailable);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("hold 1000 locks in PostgreSQL at most"));
  EXPECT_EQ(metrics_.refused, 1);
  first.reset();
  EXPECT_OK(turns_.Acquire(500, kShort));
}

TEST_F(PostgresLockTurnsTest, OneWithMoreLocksRunsAloneAmongLargeOnes) {
  Turn all(turns_.Acquire(30'000, kShort));
  EXPECT_OK(*all);
  EXPECT_THAT(turns_.Acquire(129, kShort), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_OK(turns_.Acquire(128, kShort)) << "a small one never waits";
  all.reset();
  const Turn little(turns_.Acquire(129, kShort));
  EXPECT_OK(*little);
  EXPECT_THAT(turns_.Acquire(30'000, kShort), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(PostgresLockTurnsTest, GrantsInTheOrderOfTheRequests) {
  Turn first(turns_.Acquire(700, kLong));
  ASSERT_OK(*first);
  std::vector<int> order;
  std::mutex mutex;
  const auto note = [&](int name) {
    std::lock_guard lock(mutex);
    order.push_back(name);
  };
  std::thread large([&] {
    const auto turn = turns_.Acquire(1000, kLong);
    EXPECT_OK(turn);
    note(1);
  });
  EXPECT_TRUE(Eventually([&] { return metrics_.locks_waiting == 1; }));
  // There is room for it, but it does not overtake.
  std::thread less([&] {
    const auto turn = turns_.Acquire(200, kLong);
    EXPECT_OK(turn);
    note(2);
  });
  EXPECT_TRUE(Eventually([&] { return metrics_.locks_waiting == 2; }));
  first.reset();
  large.join();
  less.join();
  EXPECT_THAT(order, testing::ElementsAre(1, 2));
}

TEST_F(PostgresLockTurnsTest, OneThatGivesUpLetsThoseBehindItGo) {
  const Turn first(turns_.Acquire(800, kLong));
  ASSERT_OK(*first);
  std::thread large(
      [&] { EXPECT_THAT(turns_.Acquire(1000, absl::Seconds(1)), StatusIs(absl::StatusCode::kUnavailable)); });
  EXPECT_TRUE(Eventually([&] { return metrics_.locks_waiting == 1; }));
  EXPECT_OK(turns_.Acquire(200, kLong));
  large.join();
}

}  // namespace
}  // namespace entrepot::kv
