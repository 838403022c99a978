#include "services/runtime/files/settling.h"

#include "gtest/gtest.h"

namespace entrepot::runtime {
namespace {

using std::chrono::milliseconds;

TEST(SettlingTest, MeasuresForHowLongTheContentsHaveNotChanged) {
  Settling settling;
  const Settling::Clock::time_point start{};
  EXPECT_EQ(settling.Unchanged("half", start), milliseconds(0));
  EXPECT_EQ(settling.Unchanged("half", start + milliseconds(150)), milliseconds(150));
  EXPECT_EQ(settling.Unchanged("whole", start + milliseconds(1000)), milliseconds(0));
  EXPECT_EQ(settling.Unchanged("whole", start + milliseconds(1999)), milliseconds(999));
  EXPECT_EQ(settling.Unchanged("whole", start + milliseconds(9000)), milliseconds(8000));
}

TEST(SettlingTest, ContentsThatComeBackBeginAnew) {
  Settling settling;
  const Settling::Clock::time_point start{};
  EXPECT_EQ(settling.Unchanged("a", start), milliseconds(0));
  EXPECT_EQ(settling.Unchanged("b", start + milliseconds(500)), milliseconds(0));
  EXPECT_EQ(settling.Unchanged("a", start + milliseconds(1000)), milliseconds(0));
  EXPECT_EQ(settling.Unchanged("a", start + milliseconds(2000)), milliseconds(1000));
}

}  // namespace
}  // namespace entrepot::runtime
