#include "services/auth/records/account_name.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::auth {
namespace {

using ::testing::HasSubstr;

TEST(AccountNameTest, Users) {
  for (const char* name :
       {"alice", "A", "_www", "9", "a.b_c-d", "alice@example.com", "alice+ci@example.com", "anyoneelse", "robot",
        "oidcx", "group", "robot$ci", "robot$project+ci", "DOMAIN\\user", "a$"}) {
    EXPECT_OK(CheckUserName(name)) << name;
  }
  EXPECT_OK(CheckUserName(std::string(128, 'a')));
}

TEST(AccountNameTest, RefusesInvalidUserNames) {
  for (const std::string& name :
       {std::string(), std::string("a b"), std::string(".a"), std::string("-a"), std::string("a:b"), std::string("a/b"),
        std::string("$a"), std::string("\\a"), std::string("a`b"), std::string("a\"b"), std::string("a'b"),
        std::string("a;b"), std::string("a\n"), std::string("a\0b", 3), std::string("\xc3\xa4"),
        std::string(129, 'a')}) {
    EXPECT_THAT(CheckUserName(name), StatusIs(absl::StatusCode::kInvalidArgument)) << name;
  }
}

TEST(AccountNameTest, ReservedNames) {
  for (const char* name : {"anonymous", "anyone", "authenticated", "oidc"}) {
    EXPECT_THAT(std::string(CheckUserName(name).message()), HasSubstr("is reserved")) << name;
  }
  for (const char* name : {"robot+a", "oidc+ci:x", "group:a", "robot+"}) {
    EXPECT_THAT(std::string(CheckUserName(name).message()), HasSubstr("another kind of account")) << name;
  }
}

TEST(AccountNameTest, RobotsAndGroups) {
  for (const auto check : {CheckRobotName, CheckGroupName}) {
    EXPECT_OK(check("deploy-1.x_y"));
    EXPECT_OK(check(std::string(64, 'a')));
    for (const std::string& name : {std::string(), std::string("a+b"), std::string("_a"), std::string("a@b"),
                                    std::string("a b"), std::string(65, 'a')}) {
      EXPECT_THAT(check(name), StatusIs(absl::StatusCode::kInvalidArgument)) << name;
    }
  }
}

TEST(AccountNameTest, Kinds) {
  EXPECT_EQ(RobotAccount("deploy"), "robot+deploy");
  EXPECT_EQ(RobotNameOf("robot+deploy"), "deploy");
  EXPECT_EQ(RobotNameOf("robot"), std::nullopt);
  EXPECT_EQ(RobotNameOf("alice"), std::nullopt);
  EXPECT_TRUE(IsIdentityAccount("oidc+ci:job"));
  EXPECT_FALSE(IsIdentityAccount("oidc"));
}

}  // namespace
}  // namespace entrepot::auth
