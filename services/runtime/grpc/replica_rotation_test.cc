#include "services/runtime/grpc/replica_rotation.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::runtime {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class ReplicaRotationTest : public ::testing::Test {
 protected:
  void Use(size_t count) {
    while (replicas_.size() < count) {
      replicas_.push_back(std::make_shared<Replica>(absl::StrCat("r", replicas_.size()), nullptr));
    }
    replicas_.resize(count);
    rotation_.Replace(replicas_);
  }
  Replica& At(size_t place) { return *replicas_[place]; }

  // How many of `calls` calls each replica gets.
  std::map<std::string, int> Shares(int calls) {
    std::map<std::string, int> shares;
    for (int i = 0; i < calls; ++i) ++shares[rotation_.Next(now_)->target()];
    return shares;
  }

  bool Fail(size_t place, CallOutcome outcome, int times) {
    bool ejected = false;
    for (int i = 0; i < times; ++i) ejected = rotation_.ReportCall(At(place), outcome, now_) || ejected;
    return ejected;
  }

  ReplicaRotation rotation_;
  std::vector<std::shared_ptr<Replica>> replicas_;
  ReplicaRotation::Time now_ = ReplicaRotation::Time(seconds(1000));
};

TEST_F(ReplicaRotationTest, IsEmptyAtFirst) { EXPECT_EQ(rotation_.Next(now_), nullptr); }

TEST_F(ReplicaRotationTest, UsesEachInTurn) {
  Use(3);
  EXPECT_THAT(Shares(30), ElementsAre(Pair("r0", 10), Pair("r1", 10), Pair("r2", 10)));
}

TEST_F(ReplicaRotationTest, UsesThoseWithTheFewestCalls) {
  Use(3);
  At(0).CountCall();
  At(0).CountCall();
  At(1).CountCall();
  EXPECT_THAT(Shares(6), ElementsAre(Pair("r2", 6)));
  At(2).CountCall();
  EXPECT_THAT(Shares(6), ElementsAre(Pair("r1", 3), Pair("r2", 3)));
  At(0).CountEnd();
  EXPECT_THAT(Shares(6), ElementsAre(Pair("r0", 2), Pair("r1", 2), Pair("r2", 2)));
}

TEST_F(ReplicaRotationTest, AReplicaThatDoesNotServeIsNotUsedForItsFewCalls) {
  Use(2);
  At(0).CountCall();
  rotation_.ReportHealth(At(1), ReplicaHealth::kNotServing, now_);
  EXPECT_THAT(Shares(4), ElementsAre(Pair("r0", 4)));
}

TEST_F(ReplicaRotationTest, UsesNoneThatDoesNotServe) {
  Use(4);
  rotation_.ReportHealth(At(0), ReplicaHealth::kNotServing, now_);
  rotation_.ReportHealth(At(1), ReplicaHealth::kSilent, now_);
  rotation_.ReportHealth(At(2), ReplicaHealth::kUnreachable, now_);
  EXPECT_THAT(Shares(8), ElementsAre(Pair("r3", 8)));
  EXPECT_TRUE(rotation_.ReportHealth(At(1), ReplicaHealth::kServing, now_).changed);
  EXPECT_FALSE(rotation_.ReportHealth(At(1), ReplicaHealth::kServing, now_).changed);
  EXPECT_THAT(Shares(8), ElementsAre(Pair("r1", 4), Pair("r3", 4)));
}

TEST_F(ReplicaRotationTest, UsesAllIfNoneServes) {
  Use(2);
  for (size_t place : {0, 1}) rotation_.ReportHealth(At(place), ReplicaHealth::kUnreachable, now_);
  EXPECT_THAT(Shares(4), ElementsAre(Pair("r0", 2), Pair("r1", 2)));
}

TEST_F(ReplicaRotationTest, AReplicaThatLostACallWaitsForAProbe) {
  Use(2);
  EXPECT_FALSE(Fail(0, CallOutcome::kLost, 1));
  EXPECT_THAT(Shares(4), ElementsAre(Pair("r1", 4)));
  rotation_.ReportCall(At(0), CallOutcome::kAnswered, now_);
  EXPECT_THAT(Shares(4), ElementsAre(Pair("r1", 4)));
  rotation_.ReportHealth(At(0), ReplicaHealth::kServing, now_);
  EXPECT_THAT(Shares(4), ElementsAre(Pair("r0", 2), Pair("r1", 2)));
}

TEST_F(ReplicaRotationTest, ALateCallAloneChangesNothing) {
  Use(2);
  EXPECT_FALSE(Fail(0, CallOutcome::kLate, ReplicaRotation::kFailuresMax - 1));
  rotation_.ReportCall(At(0), CallOutcome::kAnswered, now_);
  EXPECT_FALSE(Fail(0, CallOutcome::kLate, ReplicaRotation::kFailuresMax - 1));
  EXPECT_FALSE(Fail(0, CallOutcome::kIndifferent, 10));
  EXPECT_THAT(Shares(4), ElementsAre(Pair("r0", 2), Pair("r1", 2)));
}

TEST_F(ReplicaRotationTest, EjectsAReplicaThatAnswersProbesOnly) {
  Use(2);
  EXPECT_TRUE(Fail(0, CallOutcome::kLate, ReplicaRotation::kFailuresMax));
  rotation_.ReportHealth(At(0), ReplicaHealth::kServing, now_);
  EXPECT_EQ(rotation_.CountEjected(now_), 1u);
  EXPECT_THAT(Shares(4), ElementsAre(Pair("r1", 4)));
  now_ += ReplicaRotation::kEjectionMin;
  EXPECT_THAT(Shares(4), ElementsAre(Pair("r0", 2), Pair("r1", 2)));
  // One more failure ejects it for twice as long.
  EXPECT_TRUE(Fail(0, CallOutcome::kLate, 1));
  now_ += ReplicaRotation::kEjectionMin;
  EXPECT_THAT(Shares(4), ElementsAre(Pair("r1", 4)));
  now_ += ReplicaRotation::kEjectionMin;
  EXPECT_THAT(Shares(4), ElementsAre(Pair("r0", 2), Pair("r1", 2)));
}

TEST_F(ReplicaRotationTest, NoEjectionIsLongerThanTheBound) {
  Use(2);
  Fail(0, CallOutcome::kLate, ReplicaRotation::kFailuresMax);
  for (int i = 0; i < 12; ++i) {
    now_ += ReplicaRotation::kEjectionMax;
    EXPECT_EQ(rotation_.CountEjected(now_), 0u);
    EXPECT_TRUE(Fail(0, CallOutcome::kLate, 1));
  }
}

TEST_F(ReplicaRotationTest, EjectsHalfAtMost) {
  Use(5);
  for (size_t place = 0; place < 5; ++place) Fail(place, CallOutcome::kLate, 2 * ReplicaRotation::kFailuresMax);
  EXPECT_EQ(rotation_.CountEjected(now_), 2u);
  EXPECT_THAT(Shares(9), ElementsAre(Pair("r2", 3), Pair("r3", 3), Pair("r4", 3)));
}

TEST_F(ReplicaRotationTest, ASingleReplicaIsNeverEjected) {
  Use(1);
  EXPECT_FALSE(Fail(0, CallOutcome::kLost, 100));
  EXPECT_THAT(Shares(3), ElementsAre(Pair("r0", 3)));
}

TEST_F(ReplicaRotationTest, ANewReplicaWaitsForAProbe) {
  Use(1);
  Use(2);
  EXPECT_THAT(Shares(4), ElementsAre(Pair("r0", 4)));
  rotation_.ReportHealth(At(1), ReplicaHealth::kServing, now_);
  EXPECT_THAT(Shares(4), ElementsAre(Pair("r0", 2), Pair("r1", 2)));
}

TEST_F(ReplicaRotationTest, AReplicaThatStaysKeepsItsState) {
  Use(2);
  rotation_.ReportHealth(At(1), ReplicaHealth::kNotServing, now_);
  Use(3);
  rotation_.ReportHealth(At(2), ReplicaHealth::kServing, now_);
  EXPECT_THAT(Shares(4), ElementsAre(Pair("r0", 2), Pair("r2", 2)));
  // Reports on one that has gone are ignored.
  const std::shared_ptr<Replica> gone = replicas_[2];
  Use(2);
  EXPECT_FALSE(rotation_.ReportHealth(*gone, ReplicaHealth::kSilent, now_).changed);
  EXPECT_FALSE(rotation_.ReportCall(*gone, CallOutcome::kLost, now_));
  EXPECT_THAT(Shares(4), ElementsAre(Pair("r0", 4)));
}

TEST_F(ReplicaRotationTest, GivesUpTheCallsOfASilentReplicaIfAnotherServes) {
  Use(2);
  for (int i = 1; i < ReplicaRotation::kSilentProbesMax; ++i) {
    EXPECT_FALSE(rotation_.ReportHealth(At(0), ReplicaHealth::kSilent, now_).give_up_calls);
  }
  EXPECT_TRUE(rotation_.ReportHealth(At(0), ReplicaHealth::kSilent, now_).give_up_calls);
  rotation_.ReportHealth(At(1), ReplicaHealth::kNotServing, now_);
  EXPECT_FALSE(rotation_.ReportHealth(At(0), ReplicaHealth::kSilent, now_).give_up_calls);
}

}  // namespace
}  // namespace entrepot::runtime
