#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ctl/command.h"
#include "services/ctl/command_test_fixture.h"

namespace entrepot::ctl {
namespace {

using ::testing::HasSubstr;

class PolicyCommandsTest : public CommandTest {};

constexpr char kExplain[] = R"({"explain": {"subject": "ci", "action": "push", "repository": "a/b"}})";

TEST_F(PolicyCommandsTest, CheckSendsTheFileAndAcceptsAGoodOne) {
  const std::string file = WriteFile("policy.yaml", "rules: []\n");
  const std::string request = R"({"checkPolicy": {"text": "rules: []\n"}})";
  EXPECT_EQ(Administer({"policy", "check", file}, request, R"({"policyProblems": {}})"), file + " is a good policy\n");
  EXPECT_TRUE(
      IsSameJson(Administer({"policy", "check", file, "--output", "json"}, request, R"({"policyProblems": {}})"),
                 R"({"lines": []})"));
}

TEST_F(PolicyCommandsTest, CheckPrintsProblemsAndFails) {
  const std::string file = WriteFile("policy.yaml", "x");
  EXPECT_EQ(RunAndExpectPost({"policy", "check", file}, "/entrepot/v1/administer", R"({"checkPolicy": {"text": "x"}})",
                             R"({"policyProblems": {"lines": ["line 1: no", "line 2: no\u0007"]}})", kFailed),
            "line 1: no\nline 2: no?\n");
}

TEST_F(PolicyCommandsTest, CheckNeedsAReadableFile) {
  EXPECT_THAT(UsageError({"policy", "check"}), HasSubstr("FILE is required"));
  EXPECT_THAT(UsageError({"policy", "check", "/nowhere"}), HasSubstr("cannot read /nowhere"));
}

TEST_F(PolicyCommandsTest, ExplainExitsWithTheAnswer) {
  EXPECT_EQ(Administer({"explain", "ci", "push", "a/b"}, kExplain,
                       R"({"explanation": {"allowed": true, "reason": "rule 1", "groups": ["web"]}})"),
            "allowed: rule 1\ngroups: web\n");
  EXPECT_EQ(RunAndExpectPost({"explain", "ci", "push", "a/b"}, "/entrepot/v1/administer", kExplain,
                             R"({"explanation": {"reason": "no rule"}})", kDenied),
            "denied: no rule\n");
  EXPECT_TRUE(IsSameJson(RunAndExpectPost({"explain", "ci", "push", "a/b", "--output=json"}, "/entrepot/v1/administer",
                                          kExplain, R"({"explanation": {"reason": "no rule"}})", kDenied),
                         R"({"allowed": false, "reason": "no rule", "groups": [], "tagRules": []})"));
}

TEST_F(PolicyCommandsTest, ExplainNeedsThreeArguments) {
  EXPECT_THAT(UsageError({"explain", "ci", "push"}), HasSubstr("REPOSITORY is required"));
  EXPECT_THAT(UsageError({"explain", "ci", "push", "a/b", "c"}), HasSubstr("unexpected argument c"));
}

TEST_F(PolicyCommandsTest, Groups) {
  EXPECT_EQ(Administer({"groups", "list"}, R"({"listGroups": {}})",
                       R"({"groups": {"groups": [{"name": "web", "members": ["alice"]}]}})"),
            "GROUP  MEMBERS  MEMBERS IN THE POLICY FILE\nweb    alice    -\n");
  EXPECT_EQ(Administer({"groups", "add", "web", "alice"}, R"({"addToGroup": {"group": "web", "account": "alice"}})",
                       R"({"done": {}})"),
            "alice is in the group web\n");
  EXPECT_EQ(Administer({"groups", "remove", "web", "alice"},
                       R"({"removeFromGroup": {"group": "web", "account": "alice"}})", R"({"done": {}})"),
            "alice is not in the group web\n");
}

TEST_F(PolicyCommandsTest, AnArgumentMayHaveTheNameOfACommand) {
  EXPECT_EQ(Administer({"groups", "add", "users", "list"}, R"({"addToGroup": {"group": "users", "account": "list"}})",
                       R"({"done": {}})"),
            "list is in the group users\n");
}

TEST_F(PolicyCommandsTest, GroupsNeedTwoArguments) {
  EXPECT_THAT(UsageError({"groups", "add", "web"}), HasSubstr("ACCOUNT is required"));
  EXPECT_THAT(UsageError({"groups", "remove"}), HasSubstr("GROUP is required"));
}

TEST_F(PolicyCommandsTest, ReportsRefusals) {
  ExpectRefusalIsReported({"policy", "check", WriteFile("policy.yaml", "x")});
  ExpectRefusalIsReported({"explain", "ci", "push", "a/b"});
  ExpectRefusalIsReported({"groups", "list"});
  ExpectRefusalIsReported({"groups", "add", "web", "alice"});
  ExpectRefusalIsReported({"groups", "remove", "web", "alice"});
}

}  // namespace
}  // namespace entrepot::ctl
