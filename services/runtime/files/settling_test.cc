#include "services/runtime/files/settling.h"

#include "gtest/gtest.h"

namespace entrepot::runtime {
namespace {

using std::chrono::milliseconds;

TEST(SettlingTest, SettlesOnceTheContentsHaveNotChangedForTheQuietTime) {
  Settling settling(milliseconds(1000));
  const Settling::Clock::time_point start{};
  EXPECT_FALSE(settling.IsSettled("half", start));
  EXPECT_FALSE(settling.IsSettled("half", start + milliseconds(150)));
  EXPECT_FALSE(settling.IsSettled("half", start + milliseconds(999)));
  EXPECT_FALSE(settling.IsSettled("whole", start + milliseconds(1000)));
  EXPECT_FALSE(settling.IsSettled("whole", start + milliseconds(1999)));
  EXPECT_TRUE(settling.IsSettled("whole", start + milliseconds(2000)));
  EXPECT_TRUE(settling.IsSettled("whole", start + milliseconds(9000)));
}

TEST(SettlingTest, ContentsThatComeBackSettleAgain) {
  Settling settling(milliseconds(1000));
  const Settling::Clock::time_point start{};
  EXPECT_FALSE(settling.IsSettled("a", start));
  EXPECT_FALSE(settling.IsSettled("b", start + milliseconds(500)));
  EXPECT_FALSE(settling.IsSettled("a", start + milliseconds(1000)));
  EXPECT_TRUE(settling.IsSettled("a", start + milliseconds(2000)));
}

}  // namespace
}  // namespace entrepot::runtime
