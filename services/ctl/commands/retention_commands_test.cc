#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ctl/command_line/command.h"
#include "services/ctl/testing/command_test_fixture.h"

namespace entrepot::ctl {
namespace {

using ::testing::HasSubstr;

constexpr char kRules[] = "rules:\n  - name: last two\n    repositories: [\"**\"]\n    keep: {last_tags: 2}\n";

class RetentionCommandsTest : public CommandTest {};

TEST_F(RetentionCommandsTest, CheckSendsNothing) {
  const std::string good = WriteFile("good.yaml", kRules);
  EXPECT_EQ(Run({"retention", "check", good}).out, good + " is a good retention file\n");
  EXPECT_EQ(Run({"retention", "check", good, "--output=json"}).out, "{}\n");
  const std::string bad = WriteFile("bad.yaml", "rules:\n  - repositories: [A]\n    keep: {last: 2}\n");
  const Outcome outcome = Run({"retention", "check", bad});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_THAT(outcome.out, HasSubstr(bad + ":2: rules[0].repositories[0]: \"A\" matches no repository"));
  EXPECT_THAT(outcome.out, HasSubstr(bad + ":3: rules[0].keep: unknown field \"last\""));
  EXPECT_EQ(outcome.err, "");
  EXPECT_TRUE(http_.requests.empty() && http_.logins.empty());
}

TEST_F(RetentionCommandsTest, DryRunSendsRulesIfThereAreAny) {
  const std::string result = R"("retention": {"dryRun": true, "tags": "1", "keptImmutable": "1",
      "removals": [{"repository": "a", "what": "tag v1", "reason": "rule 1"}]})";
  EXPECT_EQ(RunJob({"retention", "dry-run"}, R"({"applyRetention": {"dryRun": true}})", result),
            "REPOSITORY  WOULD GO  REASON\n"
            "a           tag v1    rule 1\n"
            "\n"
            "1 tag and 0 manifests would be removed; nothing was changed; kept 1 immutable tag\n");
  EXPECT_THAT(RunJob({"retention", "dry-run", WriteFile("rules.yaml", "x"), "--output=json"},
                     R"({"applyRetention": {"dryRun": true, "rules": "x"}})", result),
              HasSubstr("\"keptImmutable\": \"1\""));
}

TEST_F(RetentionCommandsTest, RunAppliesTheRegistrysRules) {
  EXPECT_EQ(RunJob({"retention", "run"}, R"({"applyRetention": {}})", R"("retention": {"tags": "2"})"),
            "2 tags and 0 manifests removed\n");
}

TEST_F(RetentionCommandsTest, ReportsErrors) {
  EXPECT_THAT(UsageError({"retention", "check"}), HasSubstr("FILE is required"));
  EXPECT_THAT(UsageError({"retention", "check", "/nowhere"}), HasSubstr("cannot read /nowhere"));
  EXPECT_THAT(UsageError({"retention", "dry-run", "/nowhere"}), HasSubstr("cannot read /nowhere"));
  EXPECT_THAT(UsageError({"retention", "dry-run", "a", "b"}), HasSubstr("unexpected argument b"));
  EXPECT_THAT(UsageError({"retention", "run", "rules.yaml"}), HasSubstr("unexpected argument rules.yaml"));
  ExpectRefusalIsReported({"retention", "dry-run"});
  ExpectRefusalIsReported({"retention", "run"});
}

}  // namespace
}  // namespace entrepot::ctl
