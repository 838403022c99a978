#include "tests/simulation/scheduler.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace entrepot::simulation {
namespace {

// Two actors that write their names, three times each.
std::string OrderOf(uint64_t seed, uint64_t* fingerprint = nullptr) {
  Scheduler scheduler(seed, {});
  std::string order;
  for (const char name : {'a', 'b'}) {
    scheduler.Spawn(std::string(1, name), [&, name] {
      for (int i = 0; i < 3; ++i) {
        scheduler.Step("writes");
        order += name;
      }
    });
  }
  scheduler.Run();
  if (fingerprint != nullptr) *fingerprint = scheduler.fingerprint();
  return order;
}

TEST(SchedulerTest, ASeedIsOneOrderAndAllOrdersHaveSeeds) {
  std::set<std::string> orders;
  for (uint64_t seed = 1; seed <= 5000; ++seed) {
    uint64_t first = 0, second = 0;
    orders.insert(OrderOf(seed, &first));
    OrderOf(seed, &second);
    EXPECT_EQ(first, second);
  }
  EXPECT_EQ(orders.size(), 20u) << "three of six places";
}

TEST(SchedulerTest, WhoWaitsComesAfterWhatHeWaitsFor) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Scheduler scheduler(seed, {});
    bool done = false;
    scheduler.Spawn("waits", [&] {
      scheduler.WaitUntil("waits", [&] { return done; });
      EXPECT_TRUE(done);
    });
    scheduler.Spawn("does", [&] {
      scheduler.Step("does");
      done = true;
    });
    scheduler.Run();
    EXPECT_FALSE(scheduler.stuck());
  }
}

TEST(SchedulerTest, AWaitForWhatNeverComesIsSeen) {
  Scheduler scheduler(1, {});
  scheduler.Spawn("waits", [&] { scheduler.WaitUntil("waits", [] { return false; }); });
  scheduler.Run();
  EXPECT_TRUE(scheduler.stuck());
}

}  // namespace
}  // namespace entrepot::simulation
