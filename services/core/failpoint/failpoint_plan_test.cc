#include "services/core/failpoint/failpoint_plan.h"

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

using Kind = FailpointAction::Kind;

FailpointPlan Plan(absl::string_view text) {
  auto actions = FailpointPlan::Parse(text);
  EXPECT_OK(actions);
  return FailpointPlan(*std::move(actions));
}

TEST(FailpointPlanTest, ReturnsThePlannedAction) {
  FailpointPlan plan = Plan("blob.publish.renamed=crash,manifest.put.committed=sleep:250ms,a.b.c_2=stop");
  EXPECT_EQ(plan.Next("blob.publish.renamed")->kind, Kind::kCrash);
  EXPECT_EQ(plan.Next("manifest.put.committed")->kind, Kind::kSleep);
  EXPECT_EQ(plan.Next("manifest.put.committed")->sleep, absl::Milliseconds(250));
  EXPECT_EQ(plan.Next("a.b.c_2")->kind, Kind::kStop);
  EXPECT_FALSE(plan.Next("blob.publish").has_value());
}

TEST(FailpointPlanTest, ACountSelectsOneTime) {
  FailpointPlan plan = Plan("a.b=error@3");
  EXPECT_FALSE(plan.Next("a.b").has_value());
  EXPECT_FALSE(plan.Next("a.b").has_value());
  ASSERT_TRUE(plan.Next("a.b").has_value());
  EXPECT_FALSE(plan.Next("a.b").has_value());
}

TEST(FailpointPlanTest, AnEmptyPlanIsValid) { EXPECT_FALSE(Plan("").Next("a.b").has_value()); }

TEST(FailpointPlanTest, ReportsThePositionOfAnError) {
  const struct {
    absl::string_view text, message;
  } cases[] = {
      {"a.b", "\"a.b\" is not of the form name=action"},
      {"a.b=crash,", "\"\" is not of the form name=action"},
      {"A b=crash", "\"A b=crash\" is not of the form name=action"},
      {"=crash", "\"=crash\" is not of the form name=action"},
      {"a.b=explode", "a.b: \"explode\" is none of crash, error, stop, sleep:DURATION"},
      {"a.b=crash@0", "a.b: \"0\" is not a count"},
      {"a.b=crash@x", "a.b: \"x\" is not a count"},
      {"a.b=sleep:", "a.b: \"\" is not a duration"},
      {"a.b=sleep:-1s", "a.b: \"-1s\" is not a duration"},
      {"a.b=crash,a.b=stop", "a.b is named twice"},
  };
  for (const auto& [text, message] : cases) {
    const absl::Status status = FailpointPlan::Parse(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message(), message);
  }
}

}  // namespace
}  // namespace entrepot
