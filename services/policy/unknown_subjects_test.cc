#include "services/policy/unknown_subjects.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/policy/policy.h"
#include "services/status/status_matchers.h"

namespace entrepot::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The registry has the user "ada" and the robot "robot+ci"; the group "ops" has members that entrepotctl added.
std::vector<std::string> Find(const std::string& text) {
  const auto policy = Policy::Parse(text, "policy.yaml");
  if (!policy.ok()) return {std::string(policy.status().message())};
  return FindUnknownSubjects(
      (*policy)->file(), (*policy)->mentions(),
      {.source = "the registry",
       .has_account = [](absl::string_view account) { return account == "ada" || account == "robot+ci"; },
       .has_members = [](absl::string_view group) { return group == "ops"; }});
}

TEST(UnknownSubjectsTest, NamesEachPlaceOfAnAccountThatIsNotThere) {
  EXPECT_THAT(Find(R"(administrators: [ada, eve]
groups:
  - name: developers
    members: [ada, bob]
rules:
  - subjects:
      - robot+ci
      - robot+cd
      - "group:developers"
      - anyone
      - authenticated
    repositories: [r]
    actions: [pull]
create_only_tags:
  - {subjects: [eve], repositories: [r], tags: ["*"]}
)"),
              ElementsAre("policy.yaml:1: administrators[1]: the registry has no user \"eve\"",
                          "policy.yaml:4: groups[0].members[1]: the registry has no user \"bob\"",
                          "policy.yaml:8: rules[0].subjects[1]: the registry has no robot \"cd\"",
                          "policy.yaml:15: create_only_tags[0].subjects[0]: the registry has no user \"eve\""));
}

TEST(UnknownSubjectsTest, AGroupNeedsMembersInTheFileOrInTheRegistry) {
  EXPECT_THAT(Find("groups:\n- {name: ops}\n- {name: web}\n- {name: a, members: [ada]}\n"),
              ElementsAre("policy.yaml:3: groups[1]: the group \"web\" has no members"));
}

TEST(UnknownSubjectsTest, AnIdentityNeedsAProviderOfTheFile) {
  const std::string providers = R"(identity_providers:
- name: cluster
  issuer: https://i
  audience: a
  key_set_file: /k
  rules: [{claims: {sub: x}, repositories: [r], actions: [pull]}]
)";
  EXPECT_THAT(Find(providers + "administrators: [\"oidc+cluster:system:serviceaccount:ops:admin\"]"), IsEmpty());
  EXPECT_THAT(
      Find(providers + "administrators: [\"oidc+clustre:x\", \"oidc+cluster\", oidc]"),
      ElementsAre("policy.yaml:7: administrators[0]: no identity provider of this file has the account "
                  "\"oidc+clustre:x\"",
                  "policy.yaml:7: administrators[1]: no identity provider of this file has the account "
                  "\"oidc+cluster\"",
                  "policy.yaml:7: administrators[2]: \"oidc\" is not an account: an identity token has the account "
                  "\"oidc+PROVIDER:SUBJECT\""));
}

}  // namespace
}  // namespace entrepot::policy
