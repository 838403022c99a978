#include "tests/simulation/fiber.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::simulation {
namespace {

using testing::ElementsAre;

TEST(FiberTest, GoesOnWhereItPaused) {
  std::vector<int> order;
  Fiber one([&] {
    order.push_back(1);
    Fiber::Pause();
    order.push_back(3);
  });
  Fiber two([&] { order.push_back(2); });
  one.Resume();
  EXPECT_FALSE(one.ended());
  two.Resume();
  EXPECT_TRUE(two.ended());
  one.Resume();
  EXPECT_TRUE(one.ended());
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
  EXPECT_EQ(Fiber::Current(), nullptr);
}

}  // namespace
}  // namespace entrepot::simulation
