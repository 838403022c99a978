#include "services/policy/policy.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::policy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kPolicy[] = R"(
administrators: [root, "group:ops", robot+backup]
groups:
  - name: ops
    members: [olga]
  - name: developers
    members: [ada, olga]
  - name: empty
rules:
  - subjects: [anyone]
    repositories: ["public/**"]
    actions: [pull]
  - name: developers work
    subjects: ["group:developers", robot+ci, "oidc+cluster:system:serviceaccount:builds:runner"]
    repositories: ["team/**", "team"]
    actions: [pull, push]
  - name: all may look
    subjects: [authenticated]
    repositories: ["team/docs", "public/**"]
    actions: [pull]
  - name: grace cleans up
    subjects: [grace]
    repositories: ["team/*"]
    actions: ["*"]
immutable_tags:
  - name: releases
    repositories: ["team/**"]
    tags: ["release-*", v1]
create_only_tags:
  - subjects: ["group:developers", robot+ci]
    repositories: ["team/**"]
    tags: ["nightly-*"]
)";

RepositoryName Repo(const std::string& name) { return RepositoryName::Parse(name).value(); }
Tag TagNamed(const std::string& name) { return Tag::Parse(name).value(); }

std::shared_ptr<const Policy> MustParse(const std::string& text) {
  auto policy = Policy::Parse(text, "policy.yaml");
  EXPECT_OK(policy);
  return policy.value();
}

std::vector<std::string> Readable(const Policy& policy, const Subject& subject) {
  std::vector<std::string> patterns;
  for (const RepositoryPattern& pattern : policy.ReadableRepositories(subject)) patterns.push_back(pattern.ToString());
  return patterns;
}

struct DecisionCase {
  Subject subject;
  Action action;
  std::string repository;
  bool allowed;
  std::string reason;
};

TEST(PolicyTest, Decides) {
  const auto policy = MustParse(kPolicy);
  const std::string nothing = "no rule of policy.yaml allows it";
  const std::string administrators = "administrators of policy.yaml may do everything";
  const std::string rule_2 = "rule 2 (\"developers work\") of policy.yaml allows it";
  const DecisionCase cases[] = {
      {{"", {}}, Action::kPull, "public/a", true, "rule 1 of policy.yaml allows it"},
      {{"", {}}, Action::kPush, "public/a", false, "rule 1 of policy.yaml allows only pull"},
      {{"", {}}, Action::kPull, "team/docs", false, nothing},
      {{"", {"developers"}}, Action::kPull, "team/web", false, nothing},
      {{"eve", {}}, Action::kPull, "team/docs", true, "rule 3 (\"all may look\") of policy.yaml allows it"},
      {{"eve", {}}, Action::kPull, "team/web", false, nothing},
      {{"ada", {}}, Action::kPush, "team/web", true, rule_2},
      {{"ada", {}}, Action::kPush, "team", true, rule_2},
      {{"ada", {}},
       Action::kDelete,
       "team/web",
       false,
       "rule 2 (\"developers work\") of policy.yaml allows only pull and push"},
      {{"ada", {}}, Action::kPush, "teams/web", false, nothing},
      {{"eve", {"developers"}}, Action::kPush, "team/web", true, rule_2},
      {{"eve", {"developer"}}, Action::kPush, "team/web", false, nothing},
      {{"robot+ci", {}}, Action::kPush, "team/a/b", true, rule_2},
      {{"robot+other", {"developers"}}, Action::kPush, "team/web", false, nothing},
      {{"robot+other", {}}, Action::kPull, "team/docs", true, "rule 3 (\"all may look\") of policy.yaml allows it"},
      {{"oidc+cluster:system:serviceaccount:builds:runner", {}}, Action::kPush, "team/web", true, rule_2},
      {{"oidc+cluster:system:serviceaccount:builds:other", {"ops"}}, Action::kPush, "team/web", false, nothing},
      {{"grace", {}}, Action::kDelete, "team/web", true, "rule 4 (\"grace cleans up\") of policy.yaml allows it"},
      {{"grace", {}}, Action::kDelete, "team/a/b", false, nothing},
      {{"root", {}}, Action::kDelete, "x", true, administrators},
      {{"olga", {}}, Action::kDelete, "x", true, administrators},
      {{"eve", {"ops"}}, Action::kDelete, "x", true, administrators},
      {{"robot+backup", {}}, Action::kPull, "x", true, administrators},
      {{"robot+x", {"ops"}}, Action::kPull, "x", false, nothing},
  };
  for (const DecisionCase& test : cases) {
    const Decision decision = policy->Decide(test.subject, test.action, Repo(test.repository));
    EXPECT_EQ(decision.allowed, test.allowed) << test.subject.account << " " << test.repository;
    EXPECT_EQ(decision.reason, test.reason) << test.subject.account << " " << test.repository;
  }
}

TEST(PolicyTest, ADenialNamesTheFirstRuleOfEachAllowedActionThatAppliesToTheSubject) {
  const auto policy = MustParse(R"(
rules:
  - {name: looking, subjects: [ada], repositories: [a], actions: [pull]}
  - {name: looking again, subjects: [authenticated], repositories: [a], actions: [pull]}
  - {name: cleaning, subjects: [ada], repositories: ["*"], actions: [pull, delete]}
  - {name: a secret, subjects: [eve], repositories: [a], actions: ["*"]}
)");
  EXPECT_EQ(policy->Decide({"ada", {}}, Action::kPush, Repo("a")).reason,
            "rule 1 (\"looking\") of policy.yaml allows only pull, rule 3 (\"cleaning\") of policy.yaml only delete");
  EXPECT_EQ(policy->Decide({"ada", {}}, Action::kPush, Repo("b")).reason,
            "rule 3 (\"cleaning\") of policy.yaml allows only pull and delete");
  EXPECT_EQ(policy->Decide({"ada", {}}, Action::kPush, Repo("b/c")).reason, "no rule of policy.yaml allows it");
}

TEST(PolicyTest, AnEmptyPolicyAllowsNothing) {
  const auto policy = MustParse("");
  EXPECT_FALSE(policy->Decide({"root", {}}, Action::kPull, Repo("a")).allowed);
  EXPECT_FALSE(policy->IsAdministrator({"", {}}));
  EXPECT_THAT(policy->ReadableRepositories({"root", {}}), IsEmpty());
  EXPECT_FALSE(policy->tag_rules().MayForbidAny(Repo("a")));
}

TEST(PolicyTest, ListsReadableRepositories) {
  const auto policy = MustParse(kPolicy);
  EXPECT_THAT(Readable(*policy, {"", {}}), ElementsAre("public/**"));
  EXPECT_THAT(Readable(*policy, {"eve", {}}), ElementsAre("public/**", "team/docs"));
  EXPECT_THAT(Readable(*policy, {"ada", {}}), ElementsAre("public/**", "team/**", "team", "team/docs"));
  EXPECT_THAT(Readable(*policy, {"grace", {}}), ElementsAre("public/**", "team/docs", "team/*"));
  EXPECT_THAT(Readable(*policy, {"root", {}}), ElementsAre("**"));
}

TEST(PolicyTest, Groups) {
  const auto policy = MustParse(kPolicy);
  EXPECT_THAT(policy->GroupsOf("olga"), ElementsAre("developers", "ops"));
  EXPECT_THAT(policy->GroupsOf("eve"), IsEmpty());
  EXPECT_EQ(policy->file().groups_size(), 3);
}

TEST(PolicyTest, ImmutableTags) {
  const auto policy = MustParse(kPolicy);
  const TagRules& rules = policy->tag_rules();
  EXPECT_EQ(rules.Immutable(Repo("team/web"), TagNamed("release-1")),
            "immutable_tags rule 1 (\"releases\") of policy.yaml");
  EXPECT_TRUE(rules.Immutable(Repo("team/web"), TagNamed("v1")).has_value());
  for (const std::string tag : {"v2", "v10", "xrelease-1", "Release-1", "latest"}) {
    EXPECT_EQ(rules.Immutable(Repo("team/web"), TagNamed(tag)), std::nullopt) << tag;
  }
  EXPECT_EQ(rules.Immutable(Repo("team"), TagNamed("v1")), std::nullopt);
  EXPECT_TRUE(rules.MayForbid({"eve", {}}, Repo("team/web")));
  EXPECT_FALSE(rules.MayForbid({"eve", {}}, Repo("team")));
}

TEST(PolicyTest, CreateOnlyTagsForbidOnlyTheirSubjects) {
  const auto policy =
      MustParse("create_only_tags: [{subjects: [ci, \"robot+ci\"], repositories: [nightly], tags: [\"*\"]}]");
  const TagRules& rules = policy->tag_rules();
  EXPECT_TRUE(rules.MayForbid({"ci", {}}, Repo("nightly")));
  EXPECT_FALSE(rules.MayForbid({"eve", {}}, Repo("nightly")));
  EXPECT_FALSE(rules.MayForbid({"ci", {}}, Repo("other")));
  EXPECT_TRUE(rules.MayForbidAny(Repo("nightly")));
  EXPECT_FALSE(rules.MayForbidAny(Repo("other")));
}

TEST(PolicyTest, CreateOnlyTags) {
  const auto policy = MustParse(kPolicy);
  const TagRules& rules = policy->tag_rules();
  for (const std::string account : {"ada", "olga", "robot+ci"}) {
    EXPECT_EQ(rules.CreateOnly({account, {}}, Repo("team/web"), TagNamed("nightly-1")),
              "create_only_tags rule 1 of policy.yaml");
  }
  for (const std::string account : {"", "grace", "robot+other"}) {
    EXPECT_EQ(rules.CreateOnly({account, {}}, Repo("team/web"), TagNamed("nightly-1")), std::nullopt) << account;
  }
  EXPECT_EQ(rules.CreateOnly({"grace", {"developers"}}, Repo("team/web"), TagNamed("nightly-1")),
            "create_only_tags rule 1 of policy.yaml");
  EXPECT_EQ(rules.CreateOnly({"ada", {}}, Repo("team/web"), TagNamed("latest")), std::nullopt);
  EXPECT_EQ(rules.CreateOnly({"ada", {}}, Repo("public/web"), TagNamed("nightly-1")), std::nullopt);
}

struct ProblemCase {
  std::string text;
  std::vector<std::string> lines;
};

constexpr char kRule[] = "rules: [{subjects: [a], repositories: [r], actions: [pull]}, ";

TEST(PolicyTest, ReportsEachProblemInALine) {
  const std::string provider = "identity_providers: [{name: ci, issuer: 'https://i', audience: e, key_set_file: /k, ";
  const ProblemCase cases[] = {
      {absl::StrCat(kRule, "{subjects: [a], repositories: [r], actions: [pul]}]"),
       {R"(rules[1].actions[0]: unknown action "pul": actions are pull, push, delete and "*")"}},
      {absl::StrCat(kRule, "{repositories: [r], actions: [pull]}]"),
       {"rules[1].subjects: is empty: without it the rule never applies"}},
      {absl::StrCat(kRule, "{subjects: [a]}]"),
       {"rules[1].repositories: is empty: without it the rule never applies",
        "rules[1].actions: is empty: without it the rule never applies"}},
      {"rules: [{subjects: [a], repositories: [x, A/b], actions: [pull]}]",
       {R"(rules[0].repositories[1]: "A/b" matches no repository: names are segments of lower-case letters and digits)"}},
      {"rules: [{subjects: ['group:ops'], repositories: [x], actions: [pull]}]",
       {R"(rules[0].subjects[0]: there is no group "ops"; add it to groups)"}},
      {"rules: [{subjects: ['a:b', '', 'a b', 'robot+'], repositories: [x], actions: [pull]}]",
       {R"(rules[0].subjects[0]: "a:b" contains a ':')", "rules[0].subjects[1]: is empty",
        R"(rules[0].subjects[2]: "a b" is not a text of up to 512 printable ASCII)",
        R"(rules[0].subjects[3]: "robot+" has no name after the prefix)"}},
      {"administrators: [anyone, authenticated, 'group:x']",
       {R"(administrators[0]: "anyone" would allow every client to do everything)",
        R"(administrators[1]: "authenticated" would allow every client to do everything)",
        R"(administrators[2]: there is no group "x")"}},
      {"groups: [{name: a}, {name: a}, {}, {name: 'a b'}]",
       {R"(groups[1].name: the group "a" exists already: groups[0].name)", "groups[2].name: is missing",
        R"(groups[3].name: "a b" is not a text of up to 128 letters)"}},
      {"groups: [{name: a, members: [x, anyone, 'group:a', robot+r, 'oidc+p:s', x]}]",
       {R"(groups[0].members[1]: "anyone" is not an account)", "groups[0].members[2]: a group's members are accounts",
        R"(groups[0].members[3]: "robot+r" has its own scopes)",
        R"(groups[0].members[4]: "oidc+p:s" has its own scopes)",
        R"(groups[0].members[5]: the member "x" exists already: groups[0].members[0])"}},
      {"rules: [{name: n, subjects: [a], repositories: [r], actions: [pull]},"
       " {name: n, subjects: [a], repositories: [r], actions: [pull]}]",
       {R"(rules[1].name: the rule "n" exists already: rules[0].name)"}},
      {"rules: [{name: \"a\\nb\", subjects: [a], repositories: [r], actions: [pull]}]",
       {R"(rules[0].name: "a\nb" is not a text of up to 128 printable characters)"}},
      {"immutable_tags: [{subjects: [a], repositories: [r], tags: ['-x', 'a/b', '.*']}]",
       {"immutable_tags[0].subjects: immutable_tags apply to all subjects",
        R"(immutable_tags[0].tags[0]: "-x" matches no tag)", R"(immutable_tags[0].tags[1]: "a/b" matches no tag)",
        R"(immutable_tags[0].tags[2]: ".*" matches no tag)"}},
      {"create_only_tags: [{}]",
       {"create_only_tags[0].subjects: is empty", "create_only_tags[0].repositories: is empty",
        "create_only_tags[0].tags: is empty"}},
      {"incomplete_manifests: [{}, {name: m, repositories: [m], allow: [absent_children, '*']},"
       " {name: m, repositories: ['a**'], allow: [absent_layers, wrong_child_sizes]}]",
       {"incomplete_manifests[0].repositories: is empty", "incomplete_manifests[0].allow: is empty",
        R"(incomplete_manifests[1].allow[1]: "*" cannot be allowed; what can is absent_children)",
        R"(incomplete_manifests[2].name: the rule "m" exists already)",
        R"(incomplete_manifests[2].repositories[0]: "a**" matches no repository)"}},
      {"identity_providers: [{}]",
       {"identity_providers[0].name: is missing",
        "identity_providers[0].issuer: is missing: the issuer of the accepted tokens",
        "identity_providers[0].audience: is missing: tokens for other services would be accepted",
        "identity_providers[0]: needs key_set_file or key_set_url", "identity_providers[0].rules: is empty"}},
      {absl::StrCat(provider, "rules: [{repositories: ['a**'], actions: [all]}]}]"),
       {"identity_providers[0].rules[0].claims: is empty: the rule would match every token of the issuer",
        R"(identity_providers[0].rules[0].repositories[0]: "a**" matches no repository)",
        R"(identity_providers[0].rules[0].actions[0]: unknown action "all")"}},
      {"identity_providers: [{name: ci, issuer: i, audience: e, key_set_url: 'http://i/keys',"
       " rules: [{claims: {sub: ''}, repositories: [r], actions: [pull]}]}]",
       {R"(identity_providers[0].key_set_url: "http://i/keys" must begin with https://)",
        R"(identity_providers[0].rules[0].claims: the claim "sub" needs a name and a pattern)"}},
  };
  for (const ProblemCase& test : cases) {
    const auto policy = Policy::Parse(test.text, "policy.yaml");
    ASSERT_THAT(policy, StatusIs(absl::StatusCode::kInvalidArgument)) << test.text;
    const std::vector<std::string> lines = absl::StrSplit(policy.status().message(), '\n');
    ASSERT_EQ(lines.size(), test.lines.size()) << policy.status().message();
    for (size_t i = 0; i < lines.size(); ++i) {
      EXPECT_THAT(lines[i], HasSubstr(absl::StrCat("policy.yaml:1: ", test.lines[i]))) << test.text;
    }
  }
}

TEST(PolicyTest, LimitsTheNumberOfProblems) {
  std::string text = "administrators: [anyone";
  for (int i = 0; i < 200; ++i) text += ", anyone";
  const auto policy = Policy::Parse(absl::StrCat(text, "]"), "policy.yaml");
  const std::vector<std::string> lines = absl::StrSplit(policy.status().message(), '\n');
  ASSERT_EQ(lines.size(), 101u);
  EXPECT_EQ(lines.back(), "policy.yaml: and 101 more problems");
}

TEST(PolicyTest, ReportsMistakesOfAllKindsAtOnceWithTheirLines) {
  const auto policy = Policy::Parse(R"(administrators: [admin, anyone]
groups:
  - nmae: developers
rules:
  - subjects: [a]
    repository: r
    actions: [pull]
  - subjects:
      - "group:developers"
      - [b]
      - "c d"
    repositories: [r]
    actions: [pull]
  - subjects: [a]
    actions: [pull]
immutable_tags: none
)",
                                    "policy.yaml");
  EXPECT_THAT(policy, StatusIs(absl::StatusCode::kInvalidArgument));
  const std::vector<std::string> lines = absl::StrSplit(policy.status().message(), '\n');
  // What follows from another mistake is left out: the group without its name, and the repositories of rules[0].
  EXPECT_THAT(lines,
              testing::ElementsAre(HasSubstr("policy.yaml:1: administrators[1]: \"anyone\" would"),
                                   HasSubstr("policy.yaml:3: groups[0]: unknown field \"nmae\""),
                                   HasSubstr("policy.yaml:6: rules[0]: unknown field \"repository\""),
                                   HasSubstr("policy.yaml:10: rules[1].subjects[1]: expected text"),
                                   HasSubstr("policy.yaml:11: rules[1].subjects[2]: \"c d\" is not"),
                                   HasSubstr("policy.yaml:14: rules[2].repositories: is empty"),
                                   HasSubstr("policy.yaml:16: immutable_tags: expected a list, found \"none\"")));
}

TEST(PolicyTest, ReportsInvalidYamlInOneLineWithItsPosition) {
  const auto policy = Policy::Parse("rules:\n  - subject: [a]\n", "policy.yaml");
  EXPECT_THAT(policy, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(policy.status().message()), HasSubstr("policy.yaml:2: rules[0]: unknown field \"subject\""));
}

TEST(PolicyTest, RepositoriesRefuseIncompleteManifestsUnlessARuleAllowsThem) {
  const auto policy = MustParse(R"(
incomplete_manifests:
  - name: mirrors hold some platforms only
    repositories: ["mirrors/**"]
    allow: [absent_children]
  - repositories: ["mirrors/docker/*", lazy]
    allow: [wrong_child_sizes, absent_layers]
)");
  const auto allowed = [&](const std::string& repository) {
    const Tolerance tolerance = policy->incomplete_manifests().For(Repo(repository));
    return std::vector<bool>{tolerance.absent_children, tolerance.absent_layers, tolerance.wrong_child_sizes};
  };
  EXPECT_THAT(allowed("mirrors/a"), testing::ElementsAre(true, false, false));
  EXPECT_THAT(allowed("mirrors/docker/a"), testing::ElementsAre(true, true, true));
  EXPECT_THAT(allowed("lazy"), testing::ElementsAre(false, true, true));
  EXPECT_THAT(allowed("mirrors"), testing::ElementsAre(false, false, false));
}

TEST(PolicyTest, NeedsAccountsForEachRuleThatNamesSubjects) {
  EXPECT_FALSE(MustParse("")->NeedsAccounts());
  EXPECT_FALSE(MustParse("immutable_tags: [{repositories: [a], tags: [v1]}]\n"
                         "incomplete_manifests: [{repositories: [a], allow: [absent_children]}]")
                   ->NeedsAccounts());
  const std::string rules = "rules: [{claims: {sub: a}, repositories: [a], actions: [pull]}]";
  for (const std::string& text :
       {std::string("administrators: [a]"), std::string("groups: [{name: a}]"),
        std::string("rules: [{subjects: [anyone], repositories: [a], actions: [pull]}]"),
        std::string("create_only_tags: [{subjects: [a], repositories: [a], tags: [v1]}]"),
        absl::StrCat("identity_providers: [{name: a, issuer: i, audience: a, key_set_file: k, ", rules, "}]")}) {
    EXPECT_TRUE(MustParse(text)->NeedsAccounts()) << text;
  }
}

TEST(PolicyTest, WithoutAccountsOnlyRulesForAllCallersAreAccepted) {
  EXPECT_OK(
      Policy::ParseWithoutAccounts("immutable_tags: [{repositories: [a], tags: [v1]}]\n"
                                   "incomplete_manifests: [{repositories: [a], allow: [absent_children]}]",
                                   "policy.yaml"));
  const auto refused = Policy::ParseWithoutAccounts(kPolicy, "policy.yaml");
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kInvalidArgument));
  for (const char* field : {"administrators", "groups", "rules", "create_only_tags"}) {
    EXPECT_THAT(std::string(refused.status().message()),
                testing::ContainsRegex(absl::StrCat("policy.yaml:[0-9]+: ", field, ": needs accounts")));
  }
  EXPECT_THAT(std::string(Policy::ParseWithoutAccounts("rules: [{subjects: [a], repositories: [r], actions: [x]}]",
                                                       "policy.yaml")
                              .status()
                              .message()),
              testing::AllOf(HasSubstr("rules: needs accounts"), HasSubstr("unknown action")));
  EXPECT_THAT(Policy::ParseWithoutAccounts("rules: nonsense", "policy.yaml"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace entrepot::policy
