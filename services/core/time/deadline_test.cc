#include "services/core/time/deadline.h"

#include <condition_variable>
#include <mutex>

#include "gtest/gtest.h"

namespace entrepot {
namespace {

TEST(DeadlineTest, HasPassedAtOnceIfItIsNotAfterNow) {
  for (const absl::Duration from_now : {absl::ZeroDuration(), -absl::Hours(1), -absl::InfiniteDuration()}) {
    const Deadline deadline = Deadline::After(from_now);
    EXPECT_TRUE(deadline.passed());
    EXPECT_EQ(deadline.Left(), absl::ZeroDuration());
  }
  EXPECT_TRUE(Deadline::Passed().passed());
}

TEST(DeadlineTest, KnowsTheTimeThatIsLeft) {
  const Deadline deadline = Deadline::After(absl::Hours(1));
  EXPECT_FALSE(deadline.passed());
  EXPECT_GT(deadline.Left(), absl::Minutes(59));
  EXPECT_LE(deadline.Left(), absl::Hours(1));
}

TEST(DeadlineTest, MayBeInfinitelyFar) {
  EXPECT_GT(Deadline::After(absl::InfiniteDuration()).Left(), absl::Hours(24 * 365));
}

TEST(DeadlineTest, EndsAWait) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  const Deadline deadline = Deadline::After(absl::Milliseconds(20));
  EXPECT_FALSE(never.wait_until(lock, deadline.time(), [] { return false; }));
  EXPECT_TRUE(deadline.passed());
}

}  // namespace
}  // namespace entrepot
