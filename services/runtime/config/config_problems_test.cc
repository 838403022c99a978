#include "services/runtime/config/config_problems.h"

#include <algorithm>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::runtime {
namespace {

using ::testing::ElementsAre;

ConfigProblems OfFile(const std::string& text) {
  ConfigProblems problems;
  problems.SetFile(ParseYaml(text, "f").value());
  return problems;
}

constexpr char kFile[] = R"(# A comment.
limits:
  idle_timeout: 3s
rules:
  - name: a
    actions:
      - pull
      - push
  - {name: b}
)";

TEST(ConfigProblemsTest, WithoutAFileProblemsHaveNoLines) {
  ConfigProblems problems;
  EXPECT_TRUE(problems.empty());
  EXPECT_OK(problems.ToStatus("f"));
  problems.Add("b", "is bad");
  problems.Add("a[0]", "is bad");
  EXPECT_FALSE(problems.empty());
  EXPECT_THAT(problems.LinesOf("f"), ElementsAre("f: b: is bad", "f: a[0]: is bad"));
  EXPECT_THAT(problems.lines(), ElementsAre("b: is bad", "a[0]: is bad"));
  EXPECT_EQ(problems.PlaceOf("f", "b"), "f: b");
}

TEST(ConfigProblemsTest, ProblemsHaveTheLineOfTheirFieldInTheOrderOfTheFile) {
  ConfigProblems problems = OfFile(kFile);
  problems.Add("rules[0].actions[1]", "1");
  problems.Add("limits.idle_timeout", "2");
  problems.Add("rules", "3");
  problems.Add("rules[1].name", "4");
  EXPECT_THAT(problems.LinesOf("f"), ElementsAre("f:3: limits.idle_timeout: 2", "f:4: rules: 3",
                                                 "f:8: rules[0].actions[1]: 1", "f:9: rules[1].name: 4"));
  EXPECT_EQ(problems.PlaceOf("f", "rules[1]"), "f:9: rules[1]");
}

TEST(ConfigProblemsTest, AFieldThatIsMissingHasTheLineOfThePartThatLacksIt) {
  ConfigProblems problems = OfFile(kFile);
  problems.Add("limits.requests_max", "1");
  problems.Add("rules[0].subjects", "2");
  problems.Add("rules[0].actions[7]", "3");
  problems.Add("rules[1].actions[0].x", "4");
  problems.Add("rules[0].name.x", "5");
  problems.Add("data_directory", "6");
  EXPECT_THAT(problems.LinesOf("f"),
              ElementsAre("f: data_directory: 6", "f:2: limits.requests_max: 1", "f:5: rules[0].subjects: 2",
                          "f:5: rules[0].name.x: 5", "f:6: rules[0].actions[7]: 3", "f:9: rules[1].actions[0].x: 4"));
}

TEST(ConfigProblemsTest, LeavesOutWhatMayFollowFromUnreadableFields) {
  ConfigProblems problems = OfFile(kFile);
  problems.AddUnreadable(9, "rules[1]", "unknown field \"nam\"");
  problems.AddUnreadable(8, "rules[0].actions[1]", "expected text");
  EXPECT_TRUE(problems.IsUnreadable("rules"));
  EXPECT_TRUE(problems.IsUnreadable("rules[0].actions[1]"));
  EXPECT_FALSE(problems.IsUnreadable("rules[0].actions[1].x"));
  EXPECT_FALSE(problems.IsUnreadable("rule"));
  EXPECT_FALSE(problems.IsUnreadable("limits"));
  problems.Add("rules[1].subjects", "is empty");
  problems.Add("rules[1]", "is bad");
  problems.Add("rules[0].actions[1]", "is empty");
  problems.Add("rules[1].name", "is bad, which is another problem");
  problems.Add("rules[0].subjects", "is empty");
  problems.Add("rules[0]", "lacks what may be in actions");
  problems.Add("rules", "is bad, which is another problem");
  EXPECT_THAT(problems.LinesOf("f"),
              ElementsAre("f:4: rules: is bad, which is another problem", "f:5: rules[0].subjects: is empty",
                          "f:8: rules[0].actions[1]: expected text", "f:9: rules[1]: unknown field \"nam\"",
                          "f:9: rules[1].name: is bad, which is another problem"));
}

TEST(ConfigProblemsTest, StrangePathsAreFoundAsFarAsTheyGo) {
  const ConfigProblems problems = OfFile(kFile);
  for (const std::string field : {"", "[", "]", ".", "rules[", "rules[x]", "rules[-1]", "rules[99999999999999999999]",
                                  "rules]", "a..b", "[0]", "rules[0"}) {
    EXPECT_THAT(problems.PlaceOf("f", field), ::testing::StartsWith("f")) << field;
  }
}

TEST(ConfigProblemsTest, TheStatusHasTheFirstHundredProblems) {
  ConfigProblems problems;
  for (int i = 0; i < 2000; ++i) problems.Add("a", "b");
  const std::string text(problems.ToStatus("f").message());
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 100);
  EXPECT_THAT(text, ::testing::EndsWith("\nf: and 1900 more problems"));
}

}  // namespace
}  // namespace entrepot::runtime
