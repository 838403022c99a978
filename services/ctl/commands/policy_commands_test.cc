#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ctl/command_line/command.h"
#include "services/ctl/testing/command_test_fixture.h"

namespace entrepot::ctl {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class PolicyCommandsTest : public CommandTest {};

constexpr char kExplain[] = R"({"explain": {"subject": "ci", "action": "push", "repository": "a/b"}})";

// The hash of a password, of the least cost.
constexpr char kHash[] = "$2y$05$abcdefghijklmnopqrstuuz7OUtJGVFHmDpHuY9R4GvFHKOJDRZyO";
constexpr char kRule[] = "repositories: [r], actions: [pull]}\n";

TEST_F(PolicyCommandsTest, CheckNeedsNoRegistry) {
  const std::string file = WriteFile("policy.yaml", "rules: []\n");
  EXPECT_EQ(Run({"policy", "check", file}).out, file + " is a good policy\n");
  EXPECT_EQ(Run({"policy", "check", file, "--registry", "ftp://x"}).code, kOk);
  EXPECT_THAT(UsageError({"policy", "check", file, "--registry", "ftp://x", "--ask-registry"}), HasSubstr("ftp://x"));
  EXPECT_TRUE(IsSameJson(Run({"policy", "check", file, "--output", "json"}).out, R"({"lines": [], "warnings": []})"));
  EXPECT_TRUE(http_.requests.empty() && http_.logins.empty());
}

TEST_F(PolicyCommandsTest, CheckPrintsEachMistakeWithItsPlaceAndFails) {
  const std::string file = WriteFile("policy.yaml",
                                     "administrators: [anyone]\n"
                                     "rules:\n"
                                     "  - {subject: [ci], repositories: [A], actions: [pul]}\n"
                                     "  - {subjects: 3, " +
                                         std::string(kRule) + "tags: \"\u202e\"\n");
  const Outcome outcome = Run({"policy", "check", file});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_EQ(outcome.err, "");
  const std::vector<std::string> lines = absl::StrSplit(outcome.out, '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 6u) << outcome.out;
  const char* const expected[] = {
      ":1: administrators[0]: \"anyone\" would allow",       ":3: rules[0]: unknown field \"subject\"",
      ":3: rules[0].repositories[0]: \"A\" matches no",      ":3: rules[0].actions[0]: unknown action \"pul\"",
      ":4: rules[1].subjects: expected a list, found \"3\"", ":5: unknown field \"tags\""};
  for (size_t i = 0; i < lines.size(); ++i) EXPECT_THAT(lines[i], StartsWith(file + expected[i]));

  const Outcome json = Run({"policy", "check", file, "--output=json"});
  EXPECT_EQ(json.code, kFailed);
  EXPECT_THAT(json.out, HasSubstr("policy.yaml:5: "));
  EXPECT_TRUE(http_.requests.empty() && http_.logins.empty());
}

TEST_F(PolicyCommandsTest, CheckWarnsOfAccountsThatTheFilesDoNotHave) {
  const std::string file = WriteFile("policy.yaml",
                                     "groups: [{name: night}, {name: day, members: [ada]}]\n"
                                     "rules:\n"
                                     "  - {subjects: [ada, bob, robot+x, \"group:night\", \"oidc+ci:x\"], " +
                                         std::string(kRule));
  const std::string identity = "warning: " + file + ":3: rules[0].subjects[4]: no identity provider of this file";
  const std::string empty = "warning: " + file + ":1: groups[0]: the group \"night\" has no members\n";

  Outcome outcome = Run({"policy", "check", file});
  EXPECT_EQ(outcome.code, kOk);
  EXPECT_THAT(outcome.out, HasSubstr(identity));
  EXPECT_THAT(outcome.out, HasSubstr(empty));
  EXPECT_THAT(outcome.out, Not(HasSubstr("bob")));
  EXPECT_THAT(outcome.out, HasSubstr("note: users were not looked up"));

  const std::string accounts = WriteFile("users", absl::StrCat("ada:", kHash, "\n"));
  const std::string bob =
      absl::StrCat("warning: ", file, ":3: rules[0].subjects[1]: ", accounts, " has no user \"bob\"\n");
  outcome = Run({"policy", "check", file, "--accounts-file", accounts});
  EXPECT_EQ(outcome.code, kOk);
  EXPECT_THAT(outcome.out, HasSubstr(bob));
  EXPECT_THAT(outcome.out, Not(HasSubstr("robot")));
  EXPECT_THAT(outcome.out, HasSubstr("--ask-registry"));
  EXPECT_THAT(outcome.out, EndsWith(" is a good policy\n"));

  outcome = Run({"policy", "check", file, "--accounts-file", accounts, "--known", "bob", "--known=group:night"});
  EXPECT_THAT(outcome.out, Not(HasSubstr("bob")));
  EXPECT_THAT(outcome.out, Not(HasSubstr("night")));

  WriteFile("accounts.htpasswd", absl::StrCat("bob:", kHash, "\n"));
  EXPECT_THAT(Run({"policy", "check", file}).out, HasSubstr("accounts.htpasswd has no user \"ada\""));
  WriteFile("accounts", absl::StrCat("ada:", kHash, "\n"));
  EXPECT_THAT(Run({"policy", "check", file}).out, HasSubstr("/accounts has no user \"bob\""));
}

TEST_F(PolicyCommandsTest, CheckWarnsOfUnknownAccountsBesideMistakes) {
  const std::string file = WriteFile("policy.yaml",
                                     "administrators: [prd, \"a:b\"]\n"
                                     "groups: [{name: night}, {name: day, members: 3}]\n"
                                     "identity_providers: 4\n"
                                     "rules:\n"
                                     "  - {subjects: [eve, \"oidc+ci:x\"], repositories: [A], actions: [pull]}\n");
  const std::string accounts = WriteFile("users", absl::StrCat("ada:", kHash, "\n"));
  const Outcome outcome = Run({"policy", "check", file, "--accounts-file", accounts});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_THAT(outcome.out, HasSubstr(":5: rules[0].repositories[0]: \"A\" matches no"));
  EXPECT_THAT(outcome.out, HasSubstr("warning: " + file + ":1: administrators[0]: "));
  EXPECT_THAT(outcome.out, HasSubstr("has no user \"prd\"\n"));
  EXPECT_THAT(outcome.out, HasSubstr("has no user \"eve\"\n"));
  EXPECT_THAT(outcome.out, HasSubstr("the group \"night\" has no members\n"));
  // These have a mistake, or depend on one.
  EXPECT_THAT(outcome.out, Not(HasSubstr("no user \"a:b\"")));
  EXPECT_THAT(outcome.out, Not(HasSubstr("the group \"day\"")));
  EXPECT_THAT(outcome.out, Not(HasSubstr("oidc+ci:x")));
}

TEST_F(PolicyCommandsTest, TheRegistryChecksTheFileOnRequest) {
  const std::string file = WriteFile("policy.yaml", "x");
  const std::string request = absl::StrCat(R"({"checkPolicy": {"text": "x", "fileName": ")", file, R"("}})");
  EXPECT_EQ(Administer({"policy", "check", file, "--ask-registry"}, request, R"({"policyProblems": {}})"),
            file + " is a good policy\n");
  EXPECT_EQ(Administer({"policy", "check", file, "--ask-registry"}, request,
                       R"({"policyProblems": {"warnings": ["line 1: no\u0007"]}})"),
            "warning: line 1: no?\n" + file + " is a good policy\n");
  EXPECT_EQ(RunAndExpectPost({"policy", "check", file, "--ask-registry"}, "/entrepot/v1/administer", request,
                             R"({"policyProblems": {"lines": ["line 1: no", "line 2: no\u0007"]}})", kFailed),
            "line 1: no\nline 2: no?\n");
  ExpectRefusalIsReported({"policy", "check", file, "--ask-registry"});
}

TEST_F(PolicyCommandsTest, CheckNeedsReadableFiles) {
  EXPECT_THAT(UsageError({"policy", "check"}), HasSubstr("FILE is required"));
  EXPECT_THAT(UsageError({"policy", "check", "/nowhere"}), HasSubstr("cannot read /nowhere"));
  EXPECT_THAT(UsageError({"policy", "check", "/"}), HasSubstr("cannot read /"));
  const std::string file = WriteFile("policy.yaml", "rules: []\n");
  EXPECT_THAT(UsageError({"policy", "check", file, "--accounts-file=/nowhere"}), HasSubstr("cannot read /nowhere"));
  EXPECT_THAT(UsageError({"policy", "check", file, "--accounts-file", file}), HasSubstr("policy.yaml:1: "));
  EXPECT_THAT(UsageError({"policy", "check", file, "--ask-registry", "--known", "ci"}), HasSubstr("leave out"));
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
  ExpectRefusalIsReported({"explain", "ci", "push", "a/b"});
  ExpectRefusalIsReported({"groups", "list"});
  ExpectRefusalIsReported({"groups", "add", "web", "alice"});
  ExpectRefusalIsReported({"groups", "remove", "web", "alice"});
}

}  // namespace
}  // namespace entrepot::ctl
