#include "services/manifest/retention/retention_rules.h"

#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string Refusal(const std::string& text) {
  const absl::StatusOr<RetentionRules> rules = ParseRetentionRules(text, "r.yaml");
  EXPECT_THAT(rules.status(), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  return std::string(rules.status().message());
}

TEST(RetentionRulesTest, ParsesAllFields) {
  ASSERT_OK_AND_ASSIGN(const RetentionRules rules, ParseRetentionRules(R"(
rules:
  - name: builds
    repositories: ["a/**", b]
    keep: {last_tags: 3, pulled_within: 1h30m, pushed_within: 500ms, tags: ["v*"]}
    untagged_after: 24h
  - repositories: [c]
)"));
  ASSERT_EQ(rules.file.rules_size(), 2);
  const config::v1::RetentionRule& rule = rules.file.rules(0);
  EXPECT_EQ(rule.name(), "builds");
  EXPECT_THAT(rule.repositories(), ElementsAre("a/**", "b"));
  EXPECT_EQ(rule.keep().last_tags(), 3u);
  EXPECT_EQ(rule.keep().pulled_within().seconds(), 5400);
  EXPECT_EQ(rule.keep().pushed_within().nanos(), 500'000'000);
  EXPECT_THAT(rule.keep().tags(), ElementsAre("v*"));
  EXPECT_EQ(rule.untagged_after().seconds(), 24 * 3600);
  EXPECT_FALSE(rules.file.rules(1).has_keep());
  EXPECT_FALSE(rules.file.rules(1).has_untagged_after());
}

TEST(RetentionRulesTest, AnEmptyFileHasNoRules) {
  ASSERT_OK_AND_ASSIGN(const RetentionRules rules, ParseRetentionRules(""));
  EXPECT_EQ(rules.file.rules_size(), 0);
}

TEST(RetentionRulesTest, ErrorNamesTheInvalidField) {
  const std::pair<std::string, std::string> cases[] = {
      {"rules: [{repositories: [a], keeps: {}}]", "keeps"},
      {"rules: [{name: x}]", "r.yaml:1: rules[0].repositories: is empty"},
      {"rules: [{repositories: ['']}]", "r.yaml:1: rules[0].repositories[0]: "},
      {"rules: [{repositories: [a, 'B']}]", "r.yaml:1: rules[0].repositories[1]: "},
      {"rules: [{repositories: [a], keep: {}}]", "r.yaml:1: rules[0].keep: keeps no tag; set a condition"},
      {"rules: [{repositories: [a], keep: {last_tags: 0}}]", "r.yaml:1: rules[0].keep: keeps no tag"},
      {"rules: [{repositories: [a], keep: {last_tags: -1}}]", "last_tags"},
      {"rules: [{repositories: [a], keep: {tags: ['']}}]", "r.yaml:1: rules[0].keep.tags[0]: \"\" matches no tag"},
      {"rules: [{repositories: [a], keep: {tags: ['v*', 'a/b']}}]", "r.yaml:1: rules[0].keep.tags[1]: "},
      {"rules: [{repositories: [a], keep: {pulled_within: 0s}}]", "r.yaml:1: rules[0].keep.pulled_within: "},
      {"rules: [{repositories: [a], keep: {pushed_within: 3 days}}]", "rules[0].keep.pushed_within"},
      {"rules: [{repositories: [a], untagged_after: 0s}]", "r.yaml:1: rules[0].untagged_after: "},
      {"rules: [{repositories: [a], untagged_after: 7}]", "rules[0].untagged_after"},
      {"rules: [{name: x, repositories: [a]}, {name: x, repositories: [b]}]",
       "r.yaml:1: rules[1].name: the rule \"x\" exists already: rules[0].name"},
      {"rules: [{name: \"a\\nb\", repositories: [a]}]", "r.yaml:1: rules[0].name: "},
      {"rules: [", "r.yaml:1"},
  };
  for (const auto& [text, problem] : cases) {
    const std::string refusal = Refusal(text);
    EXPECT_THAT(refusal, StartsWith("r.yaml:")) << text;
    EXPECT_THAT(refusal, HasSubstr(problem)) << text;
    EXPECT_THAT(refusal, testing::Not(HasSubstr("\n"))) << text;
  }
}

TEST(RetentionRulesTest, ReportsProblemsUpToALimit) {
  std::string text = "rules:\n";
  for (int i = 0; i < 150; ++i) absl::StrAppend(&text, "  - {name: r", i, "}\n");
  const std::vector<std::string> lines = absl::StrSplit(Refusal(text), '\n');
  ASSERT_EQ(lines.size(), 101u);
  EXPECT_THAT(lines[99], StartsWith("r.yaml:101: rules[99].repositories: "));
  EXPECT_EQ(lines[100], "r.yaml: and 50 more problems");
}

// The example of the documentation.
TEST(ExampleRetentionTest, ExampleFileIsValid) {
  std::stringstream text;
  text << std::ifstream("examples/retention.yaml").rdbuf();
  ASSERT_OK_AND_ASSIGN(const RetentionRules rules, ParseRetentionRules(text.str()));
  ASSERT_EQ(rules.file.rules_size(), 3);
  EXPECT_FALSE(rules.file.rules(0).has_keep());
  EXPECT_FALSE(rules.file.rules(0).has_untagged_after());
  EXPECT_EQ(rules.file.rules(1).keep().last_tags(), 10u);
  EXPECT_EQ(rules.file.rules(1).keep().pulled_within().seconds(), 30 * 24 * 3600);
  EXPECT_EQ(rules.file.rules(1).untagged_after().seconds(), 24 * 3600);
  EXPECT_FALSE(rules.file.rules(2).has_keep());
  EXPECT_EQ(rules.file.rules(2).untagged_after().seconds(), 14 * 24 * 3600);
}

}  // namespace
}  // namespace entrepot::manifest
