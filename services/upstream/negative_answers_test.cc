#include "services/upstream/negative_answers.h"

#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"
#include "services/status/status_matchers.h"

namespace entrepot::upstream {
namespace {

TEST(NegativeAnswersTest, RemembersForTheGivenTime) {
  FakeClock clock;
  NegativeAnswers answers(&clock);
  answers.Remember("a", absl::NotFoundError("no a"), absl::Seconds(20));
  answers.Remember("b", absl::NotFoundError("no b"), absl::ZeroDuration());
  EXPECT_FALSE(answers.Find("b").has_value());
  clock.Advance(absl::Seconds(19));
  EXPECT_EQ(answers.Find("a"), absl::NotFoundError("no a"));
  clock.Advance(absl::Seconds(1));
  EXPECT_FALSE(answers.Find("a").has_value());
}

TEST(NegativeAnswersTest, ForgetsWhenTold) {
  FakeClock clock;
  NegativeAnswers answers(&clock);
  answers.Remember("a", absl::NotFoundError("no a"), absl::Seconds(20));
  answers.Forget("a");
  EXPECT_FALSE(answers.Find("a").has_value());
}

TEST(NegativeAnswersTest, AClockThatIsSetBackMakesItForget) {
  FakeClock clock;
  NegativeAnswers answers(&clock);
  answers.Remember("a", absl::NotFoundError("no a"), absl::Seconds(20));
  clock.Advance(-absl::Hours(1));
  EXPECT_FALSE(answers.Find("a").has_value());
}

TEST(NegativeAnswersTest, IsBounded) {
  FakeClock clock;
  NegativeAnswers answers(&clock, 1);
  answers.Remember("a", absl::NotFoundError("no a"), absl::Seconds(20));
  answers.Remember("b", absl::NotFoundError("no b"), absl::Seconds(20));
  EXPECT_FALSE(answers.Find("a").has_value());
  EXPECT_TRUE(answers.Find("b").has_value());
}

}  // namespace
}  // namespace entrepot::upstream
