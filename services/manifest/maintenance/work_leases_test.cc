#include "services/manifest/maintenance/work_leases.h"

#include <cstdint>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

// Two processes with records in common.
class WorkLeasesTest : public testing::Test {
 protected:
  static bool GoOn(uint64_t, uint64_t) { return true; }
  static void Nothing(const Pace&) {}

  FakeClock clock_;
  kv::MemoryKvEngine kv_;
  WorkLeases first_{&kv_, &clock_, /*shared=*/true};
  WorkLeases second_{&kv_, &clock_, /*shared=*/true};
};

TEST_F(WorkLeasesTest, OneProcessDoesTheWork) {
  int runs = 0;
  EXPECT_THAT(first_.Run("scrub", GoOn,
                         [&](const Pace&) {
                           ++runs;
                           EXPECT_THAT(second_.Run("scrub", GoOn, [&](const Pace&) { ++runs; }), IsOkAndHolds(false));
                           EXPECT_THAT(second_.Run("collect", GoOn, [&](const Pace&) { ++runs; }), IsOkAndHolds(true));
                         }),
              IsOkAndHolds(true));
  EXPECT_EQ(runs, 2);
  EXPECT_THAT(second_.Run("scrub", GoOn, Nothing), IsOkAndHolds(true));
}

TEST_F(WorkLeasesTest, AnotherProcessTakesOverFromOneThatStandsStill) {
  bool went_on = true;
  EXPECT_THAT(first_.Run("scrub", GoOn,
                         [&](const Pace& pace) {
                           EXPECT_TRUE(pace(1, 0));
                           clock_.Advance(WorkLeases::kLifetime - absl::Seconds(1));
                           EXPECT_THAT(second_.Run("scrub", GoOn, Nothing), IsOkAndHolds(false));
                           clock_.Advance(absl::Seconds(1));
                           EXPECT_THAT(second_.Run("scrub", GoOn,
                                                   [&](const Pace&) {
                                                     // The first one wakes up, and ends without taking it back.
                                                     went_on = pace(1, 0);
                                                   }),
                                       IsOkAndHolds(true));
                         }),
              IsOkAndHolds(true));
  EXPECT_FALSE(went_on);
}

TEST_F(WorkLeasesTest, WorkThatGoesOnKeepsItsLease) {
  ASSERT_OK(first_.Run("scrub", GoOn, [&](const Pace& pace) {
    for (int i = 0; i < 100; ++i) {
      clock_.Advance(absl::Minutes(1));
      EXPECT_TRUE(pace(1, 0));
      EXPECT_THAT(second_.Run("scrub", GoOn, Nothing), IsOkAndHolds(false));
    }
  }));
}

TEST_F(WorkLeasesTest, ThePaceOfTheCallerEndsTheWork) {
  ASSERT_OK(first_.Run(
      "scrub", [](uint64_t, uint64_t) { return false; }, [&](const Pace& pace) { EXPECT_FALSE(pace(1, 0)); }));
}

TEST_F(WorkLeasesTest, AProcessAloneWritesNothing) {
  WorkLeases alone(&kv_, &clock_, /*shared=*/false);
  EXPECT_THAT(alone.Run("scrub", GoOn, Nothing), IsOkAndHolds(true));
  EXPECT_THAT(kv_.Get(keys::WorkLeases()), IsOkAndHolds(std::nullopt));
}

}  // namespace
}  // namespace entrepot::manifest
