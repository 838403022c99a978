#include "services/ctl/output/administration_text.h"

#include "boost/json/parse.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::ctl {
namespace {

using auth::v1::AdministerResponse;
using ::testing::HasSubstr;

TEST(AdministrationTextTest, Users) {
  AdministerResponse response;
  auto* ci = response.mutable_users()->add_users();
  ci->set_name("ci");
  ci->set_from_file(true);
  auto* alice = response.mutable_users()->add_users();
  alice->set_name("alice");
  alice->add_groups("web");
  alice->add_groups("ops");
  alice->mutable_created_at()->set_seconds(1795532400);
  alice->mutable_last_used_at()->set_seconds(1795532460);
  EXPECT_EQ(AdministrationText(response),
            "USER   KEPT IN        GROUPS    CREATED (UTC)     LAST USED (UTC)\n"
            "ci     accounts file  -         -                 never\n"
            "alice  registry       web, ops  2026-11-24 15:00  2026-11-24 15:01\n");
}

TEST(AdministrationTextTest, Robots) {
  AdministerResponse response;
  auto* robot = response.mutable_robots()->add_robots();
  robot->set_name("deploy");
  robot->set_created_by("admin");
  auto* scope = robot->add_scopes();
  scope->add_repositories("driftwood/**");
  scope->add_actions("pull");
  scope->add_actions("push");
  EXPECT_EQ(AdministrationText(response),
            "ROBOT   ALLOWED                 EXPIRES (UTC)  LAST USED (UTC)  CREATED BY  DESCRIPTION\n"
            "deploy  driftwood/**:pull,push  never          never            admin       -\n");
}

TEST(AdministrationTextTest, ShowsASecretWithItsAccount) {
  AdministerResponse response;
  response.mutable_robot_secret()->set_account("robot+deploy");
  response.mutable_robot_secret()->set_secret("s3cr3t");
  EXPECT_THAT(AdministrationText(response), HasSubstr("account  robot+deploy\nsecret   s3cr3t\n"));
}

TEST(AdministrationTextTest, GroupsAndKeys) {
  AdministerResponse groups;
  auto* group = groups.mutable_groups()->add_groups();
  group->set_name("web");
  group->add_members("alice");
  group->add_members_from_file("bob");
  EXPECT_EQ(AdministrationText(groups), "GROUP  MEMBERS  MEMBERS IN THE POLICY FILE\nweb    alice    bob\n");

  AdministerResponse keys;
  auto* active = keys.mutable_keys()->add_keys();
  active->set_kid("k2");
  active->set_algorithm("ES256");
  active->set_active(true);
  auto* old = keys.mutable_keys()->add_keys();
  old->set_kid("k1");
  old->set_algorithm("ES256");
  old->mutable_verifies_until()->set_seconds(1795532400);
  EXPECT_EQ(AdministrationText(keys),
            "KEY  ALGORITHM  CREATED (UTC)  USE\n"
            "k2   ES256      -              signs\n"
            "k1   ES256      -              verifies until 2026-11-24 15:00\n");
}

TEST(AdministrationTextTest, Explanation) {
  AdministerResponse response;
  response.mutable_explanation()->set_reason("no rule allows it");
  EXPECT_EQ(AdministrationText(response), "denied: no rule allows it\n");
  response.mutable_explanation()->set_allowed(true);
  response.mutable_explanation()->set_reason("rule 2 (ci pushes) allows it");
  response.mutable_explanation()->add_groups("web");
  response.mutable_explanation()->add_tag_rules("release-* is immutable");
  EXPECT_EQ(AdministrationText(response),
            "allowed: rule 2 (ci pushes) allows it\ngroups: web\ntags there: release-* is immutable\n");
}

TEST(AdministrationTextTest, JsonIsTheResultWithEveryField) {
  AdministerResponse response;
  response.mutable_users()->add_users()->set_name("ci");
  const auto users = boost::json::parse(AdministrationJson(response)).at("users").as_array();
  ASSERT_EQ(users.size(), 1u);
  EXPECT_EQ(users[0].at("name"), "ci");
  EXPECT_EQ(users[0].at("fromFile"), false);
  response.mutable_done();
  EXPECT_EQ(boost::json::parse(AdministrationJson(response)), boost::json::object());
}

}  // namespace
}  // namespace entrepot::ctl
