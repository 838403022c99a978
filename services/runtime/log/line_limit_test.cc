#include "services/runtime/log/line_limit.h"

#include "gtest/gtest.h"

namespace entrepot::runtime {
namespace {

using Time = std::chrono::steady_clock::time_point;

TEST(LineLimitTest, AllowsOneLineASecond) {
  LineLimit limit;
  EXPECT_TRUE(limit.Allows(Time(std::chrono::milliseconds(5000))));
  EXPECT_FALSE(limit.Allows(Time(std::chrono::milliseconds(5000))));
  EXPECT_FALSE(limit.Allows(Time(std::chrono::milliseconds(5999))));
  EXPECT_TRUE(limit.Allows(Time(std::chrono::milliseconds(6000))));
  EXPECT_FALSE(limit.Allows(Time(std::chrono::milliseconds(6001))));
}

TEST(LineLimitTest, AllowsOneLineInItsInterval) {
  LineLimit limit(std::chrono::minutes(1));
  EXPECT_TRUE(limit.Allows(Time(std::chrono::seconds(5))));
  EXPECT_FALSE(limit.Allows(Time(std::chrono::seconds(64))));
  EXPECT_TRUE(limit.Allows(Time(std::chrono::seconds(65))));
}

TEST(LineLimitTest, AllowsTheFirstLine) {
  LineLimit limit;
  EXPECT_TRUE(limit.Allows());
}

}  // namespace
}  // namespace entrepot::runtime
