#include "services/runtime/threads/periodic_task.h"

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"

namespace entrepot::runtime {
namespace {

TEST(PeriodicTaskTest, RunsAtOnceAndAgain) {
  absl::BlockingCounter calls(3);
  int left = 3;
  const PeriodicTask task(absl::Microseconds(1), [&] {
    if (left > 0) {
      --left;
      calls.DecrementCount();
    }
  });
  calls.Wait();
}

TEST(PeriodicTaskTest, StopsInTheMiddleOfAnInterval) {
  absl::Notification called;
  {
    const PeriodicTask task(absl::InfiniteDuration(), [&] { called.Notify(); });
    called.WaitForNotification();
  }
  EXPECT_TRUE(called.HasBeenNotified());
}

}  // namespace
}  // namespace entrepot::runtime
