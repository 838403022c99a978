#include "services/policy/lost_restrictions.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::policy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Lost(const std::string& before, const std::string& now) {
  return FindLostRestrictions(*Policy::Parse(before, "policy.yaml").value(),
                              *Policy::Parse(now, "policy.yaml").value());
}

constexpr char kGroups[] = "groups: [{name: g, members: [ada, bob]}, {name: h, members: [eve]}]\n";
constexpr char kImmutable[] =
    "immutable_tags: [{name: releases, repositories: [\"a/**\", \"b/**\"], tags: [\"v*\", \"r*\"]}]\n";
constexpr char kCreateOnly[] =
    "create_only_tags: [{subjects: [ci, \"group:g\"], repositories: [\"**\"], tags: [\"n*\"]}]\n";

std::string All() { return std::string(kGroups) + kImmutable + kCreateOnly; }

TEST(LostRestrictionsTest, NamesRulesThatAreGone) {
  EXPECT_THAT(Lost(All(), kGroups), ElementsAre("immutable_tags[0] \"releases\"", "create_only_tags[0] \"\""));
  EXPECT_THAT(Lost(All(), std::string(kGroups) + kImmutable), ElementsAre("create_only_tags[0] \"\""));
}

TEST(LostRestrictionsTest, NamesRulesThatLackSomething) {
  const std::string shorter =
      "immutable_tags: [{name: releases, repositories: [\"a/**\", \"b/**\"], tags: [\"v*\"]}]\n";
  EXPECT_THAT(Lost(kImmutable, shorter), ElementsAre("immutable_tags[0] \"releases\""));
  EXPECT_THAT(Lost(kImmutable, "immutable_tags: [{repositories: [\"a/**\"], tags: [\"v*\", \"r*\"]}]\n"),
              ElementsAre("immutable_tags[0] \"releases\""));
  EXPECT_THAT(
      Lost(All(), std::string(kGroups) + kImmutable +
                      "create_only_tags: [{subjects: [\"group:g\"], repositories: [\"**\"], tags: [\"n*\"]}]\n"),
      ElementsAre("create_only_tags[0] \"\""));
}

TEST(LostRestrictionsTest, NamesRestrictedGroupsThatLostMembers) {
  const std::string rules = std::string(kImmutable) + kCreateOnly;
  EXPECT_THAT(Lost(All(), rules + "groups: [{name: g, members: [ada]}, {name: h, members: [eve]}]\n"),
              ElementsAre("members of groups[0] \"g\""));
  EXPECT_THAT(Lost(All(), rules + "groups: [{name: g, members: [bob, ada]}]\n"), IsEmpty());
}

std::string Provider(const std::string& rules, const std::string& more = "") {
  return "identity_providers: [{name: ci, issuer: \"https://ci.example\", audience: registry, "
         "key_set_url: \"https://ci.example/keys\", " +
         more + "rules: [" + rules + "]}]\n";
}

TEST(LostRestrictionsTest, NamesClaimsThatAreGone) {
  const std::string whole = "{repositories: [a], actions: [push], claims: {owner: \"1\", ref: main}}";
  EXPECT_THAT(Lost(Provider(whole), Provider("{repositories: [a], actions: [push], claims: {owner: \"1\"}}")),
              ElementsAre("claims of rules[0] of identity_providers[0] \"ci\""));
  // Whoever meets the rule may do something else, or must meet another claim.
  EXPECT_THAT(Lost(Provider(whole), Provider("{repositories: [b], actions: [push], claims: {owner: \"1\"}}")),
              IsEmpty());
  EXPECT_THAT(Lost(Provider(whole), Provider("{repositories: [a], actions: [push], claims: {owner: \"2\"}}")),
              IsEmpty());
  EXPECT_THAT(Lost(Provider(whole), Provider(whole)), IsEmpty());
  EXPECT_THAT(Lost(Provider(whole), "rules: []\n"), IsEmpty());
}

TEST(LostRestrictionsTest, NamesAnAuthorityThatIsGone) {
  const std::string rule = "{repositories: [a], actions: [push], claims: {owner: \"1\"}}";
  EXPECT_THAT(Lost(Provider(rule, "key_set_ca_file: /ca.pem, "), Provider(rule)),
              ElementsAre("key_set_ca_file of identity_providers[0] \"ci\""));
}

TEST(LostRestrictionsTest, OtherChangesLoseNothing) {
  EXPECT_THAT(Lost(All(), All()), IsEmpty());
  EXPECT_THAT(
      Lost("administrators: [ada]\nrules: [{subjects: [ci], repositories: [a], actions: [pull]}]\n", "rules: []\n"),
      IsEmpty());
  EXPECT_THAT(Lost(kImmutable,
                   "immutable_tags: [{repositories: [c], tags: [x]}, "
                   "{name: n, repositories: [\"b/**\", \"a/**\", c], tags: [\"r*\", \"v*\", \"x*\"]}]\n"),
              IsEmpty());
}

}  // namespace
}  // namespace entrepot::policy
