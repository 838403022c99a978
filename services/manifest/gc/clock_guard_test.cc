#include "services/manifest/gc/clock_guard.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using absl::StatusCode;

class ClockGuardTest : public testing::Test {
 protected:
  ClockGuardTest() { Restart(); }

  void Restart() {
    guard_ = std::make_unique<ClockGuard>(
        &kv_, &clock_,
        ClockGuard::Options{
            .hold = absl::Hours(24), .since_boot = [this] { return since_boot_; }, .registry = nullptr});
  }
  // Time goes by on both clocks.
  void Pass(absl::Duration time) {
    clock_.Advance(time);
    since_boot_ += time;
  }
  void SetClock(absl::Duration step) { clock_.Advance(step); }
  bool Held() {
    const absl::Status status = guard_->Check();
    EXPECT_TRUE(status.ok() || status.code() == StatusCode::kFailedPrecondition) << status;
    return !status.ok();
  }

  kv::MemoryKvEngine kv_;
  FakeClock clock_;
  absl::Duration since_boot_ = absl::Hours(1);
  std::unique_ptr<ClockGuard> guard_;
};

TEST_F(ClockGuardTest, PassingTimeIsNoStep) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(Held());
    Pass(absl::Hours(i));
    // Clocks drift, and are adjusted in small steps.
    SetClock(absl::Minutes(i % 2 == 0 ? 4 : -4));
  }
}

TEST_F(ClockGuardTest, HoldsBackAfterAStepInEitherDirection) {
  for (const absl::Duration step : {absl::Hours(30), -absl::Hours(30), absl::Minutes(6)}) {
    EXPECT_FALSE(Held());
    Pass(absl::Minutes(1));
    SetClock(step);
    EXPECT_TRUE(Held());
    Pass(absl::Hours(23));
    EXPECT_TRUE(Held());
    Pass(absl::Hours(1));
    EXPECT_FALSE(Held());
  }
}

TEST_F(ClockGuardTest, TheMessageHasTheEndAndTheCommand) {
  EXPECT_FALSE(Held());
  SetClock(absl::Hours(1));
  const std::string message(guard_->Check().message());
  EXPECT_THAT(message, testing::HasSubstr("holds back until 2023-11-15 23:13 UTC"));
  EXPECT_THAT(message, testing::HasSubstr("entrepotctl gc accept clock"));
}

TEST_F(ClockGuardTest, ARestartDoesNotShortenTheWait) {
  EXPECT_FALSE(Held());
  SetClock(absl::Hours(30));
  EXPECT_TRUE(Held());
  Pass(absl::Hours(10));
  EXPECT_TRUE(Held());
  since_boot_ = absl::Seconds(1);
  Restart();
  EXPECT_TRUE(Held());
  Pass(absl::Hours(13));
  EXPECT_TRUE(Held());
  Pass(absl::Hours(1));
  EXPECT_FALSE(Held());
}

TEST_F(ClockGuardTest, ALongPauseIsNoStep) {
  EXPECT_FALSE(Held());
  clock_.Advance(absl::Hours(24 * 300));
  Restart();
  EXPECT_FALSE(Held());
}

TEST_F(ClockGuardTest, NoticesAStepBackWhileNoProcessRan) {
  EXPECT_FALSE(Held());
  clock_.Advance(-absl::Hours(2));
  Restart();
  EXPECT_TRUE(Held());
}

TEST_F(ClockGuardTest, AClockThatIsSetBackDoesNotLengthenTheWaitOfTheRecord) {
  EXPECT_FALSE(Held());
  SetClock(absl::Hours(24 * 365));
  EXPECT_TRUE(Held());
  SetClock(-absl::Hours(24 * 365));
  Restart();
  EXPECT_TRUE(Held());
  Pass(absl::Hours(24));
  EXPECT_FALSE(Held());
}

TEST_F(ClockGuardTest, AcceptEndsTheWait) {
  EXPECT_FALSE(Held());
  SetClock(absl::Hours(30));
  EXPECT_TRUE(Held());
  EXPECT_OK(guard_->Accept());
  EXPECT_FALSE(Held());
  Restart();
  EXPECT_FALSE(Held());
}

// Two processes on two machines with records in common.
class SharedClockGuardTest : public testing::Test {
 protected:
  struct Process {
    FakeClock clock;
    absl::Duration since_boot = absl::Hours(1);
    std::unique_ptr<ClockGuard> guard;
  };

  SharedClockGuardTest() {
    for (Process* const process : {&first_, &second_}) {
      process->guard =
          std::make_unique<ClockGuard>(&kv_, &process->clock,
                                       ClockGuard::Options{.hold = absl::Hours(24),
                                                           .shared = true,
                                                           .since_boot = [process] { return process->since_boot; },
                                                           .registry = nullptr});
    }
  }
  void Pass(absl::Duration time) {
    for (Process* const process : {&first_, &second_}) {
      process->clock.Advance(time);
      process->since_boot += time;
    }
  }
  bool Held(Process& process) {
    const absl::Status status = process.guard->Check();
    EXPECT_TRUE(status.ok() || status.code() == StatusCode::kFailedPrecondition) << status;
    return !status.ok();
  }

  kv::MemoryKvEngine kv_;
  Process first_;
  Process second_;
};

TEST_F(SharedClockGuardTest, EqualClocksHoldNothingBack) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(Held(first_)) << i;
    EXPECT_FALSE(Held(second_)) << i;
    Pass(absl::Seconds(50));
  }
}

TEST_F(SharedClockGuardTest, AStepOfOneClockHoldsBothBackUntilItsEnd) {
  EXPECT_FALSE(Held(first_));
  EXPECT_FALSE(Held(second_));
  // The clock was wrong, and is right now: what it wrote before ends too early.
  first_.clock.Advance(absl::Hours(10));
  second_.clock.Advance(absl::Hours(10));
  second_.since_boot += absl::Hours(10);
  first_.since_boot += absl::Seconds(1);
  EXPECT_TRUE(Held(first_));
  EXPECT_TRUE(Held(second_));
  for (int i = 0; i < 24 * 60; ++i) {
    EXPECT_TRUE(Held(first_)) << i;
    EXPECT_TRUE(Held(second_)) << i;
    Pass(absl::Minutes(1));
  }
  Pass(absl::Minutes(1));
  EXPECT_FALSE(Held(first_));
  EXPECT_FALSE(Held(second_));
}

TEST_F(SharedClockGuardTest, AcceptingEndsTheWaitOfBoth) {
  EXPECT_FALSE(Held(first_));
  EXPECT_FALSE(Held(second_));
  first_.clock.Advance(absl::Minutes(20));
  EXPECT_TRUE(Held(first_));
  first_.clock.Advance(-absl::Minutes(20));
  EXPECT_TRUE(Held(first_));
  Pass(absl::Minutes(1));
  EXPECT_TRUE(Held(second_));
  EXPECT_OK(second_.guard->Accept());
  Pass(absl::Minutes(1));
  EXPECT_FALSE(Held(second_));
  EXPECT_FALSE(Held(first_));
}

TEST_F(SharedClockGuardTest, AClockThatIsWrongFromTheStartHoldsBothBack) {
  EXPECT_FALSE(Held(first_));
  second_.clock.Advance(absl::Hours(48));
  // It might have been alone for two days.
  EXPECT_TRUE(Held(second_));
  Pass(absl::Minutes(1));
  EXPECT_TRUE(Held(first_));
  EXPECT_TRUE(Held(second_));
}

}  // namespace
}  // namespace entrepot::manifest
