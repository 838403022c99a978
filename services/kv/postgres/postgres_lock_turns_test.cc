#include "services/kv/postgres/postgres_lock_turns.h"

#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
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
  PostgresMetrics metrics_;
  PostgresLockTurns patient_{{.locks_max = 1000, .wait = absl::Seconds(60)}, &metrics_};
  PostgresLockTurns impatient_{{.locks_max = 1000, .wait = absl::Milliseconds(20)}, &metrics_};
};

TEST_F(PostgresLockTurnsTest, BoundsTheSumAndNamesTheBound) {
  Turn first(impatient_.Acquire(600));
  const Turn second(impatient_.Acquire(400));
  EXPECT_OK(*first);
  EXPECT_OK(*second);
  const absl::Status refused = impatient_.Acquire(500).status();
  EXPECT_EQ(GetOciErrorCode(refused), OciErrorCode::kUnavailable);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("hold 1000 locks in PostgreSQL at most"));
  EXPECT_EQ(metrics_.refused, 1);
  first.reset();
  EXPECT_OK(impatient_.Acquire(500));
}

TEST_F(PostgresLockTurnsTest, OneWithMoreLocksRunsAloneAmongLargeOnes) {
  Turn all(impatient_.Acquire(30'000));
  EXPECT_OK(*all);
  EXPECT_THAT(impatient_.Acquire(129), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_OK(impatient_.Acquire(128)) << "a small one never waits";
  all.reset();
  const Turn little(impatient_.Acquire(129));
  EXPECT_OK(*little);
  EXPECT_THAT(impatient_.Acquire(30'000), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(PostgresLockTurnsTest, GrantsInTheOrderOfTheRequests) {
  Turn first(patient_.Acquire(700));
  ASSERT_OK(*first);
  std::vector<int> order;
  std::mutex mutex;
  const auto note = [&](int name) {
    std::lock_guard lock(mutex);
    order.push_back(name);
  };
  std::thread large([&] {
    const auto turn = patient_.Acquire(1000);
    EXPECT_OK(turn);
    note(1);
  });
  EXPECT_TRUE(Eventually([&] { return metrics_.locks_waiting == 1; }));
  // There is room for it, but it does not overtake.
  std::thread less([&] {
    const auto turn = patient_.Acquire(200);
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
  PostgresLockTurns turns({.locks_max = 1000, .wait = absl::Seconds(1)}, &metrics_);
  const Turn first(turns.Acquire(800));
  ASSERT_OK(*first);
  std::thread large([&] { EXPECT_THAT(turns.Acquire(1000), StatusIs(absl::StatusCode::kUnavailable)); });
  EXPECT_TRUE(Eventually([&] { return metrics_.locks_waiting == 1; }));
  absl::SleepFor(absl::Milliseconds(300));  // Its deadline is later by as much.
  EXPECT_OK(turns.Acquire(200));
  large.join();
}

}  // namespace
}  // namespace entrepot::kv
