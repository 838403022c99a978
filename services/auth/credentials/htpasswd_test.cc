#include "services/auth/credentials/htpasswd.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::auth {
namespace {

using ::testing::HasSubstr;

// The hash of "U*U".
constexpr absl::string_view kHash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

std::string ProblemsOf(absl::string_view text) {
  const auto users = ParseHtpasswd(text, "users");
  EXPECT_THAT(users, StatusIs(absl::StatusCode::kInvalidArgument));
  return std::string(users.status().message());
}

TEST(HtpasswdTest, ReadsUsers) {
  ASSERT_OK_AND_ASSIGN(
      const PasswordHashes users,
      ParseHtpasswd(absl::StrCat("# who may push\n\nalice:", kHash, "\nbob@example.com:", kHash, "\r\n"), "users"));
  ASSERT_EQ(users.size(), 2u);
  EXPECT_TRUE(users.at("alice").Matches("U*U"));
  EXPECT_TRUE(users.at("bob@example.com").Matches("U*U"));
}

TEST(HtpasswdTest, TheLastLineNeedsNoLineFeed) {
  ASSERT_OK_AND_ASSIGN(const PasswordHashes users, ParseHtpasswd(absl::StrCat("alice:", kHash), "users"));
  EXPECT_EQ(users.size(), 1u);
  EXPECT_THAT(ParseHtpasswd("", "users"), IsOkAndHolds(testing::IsEmpty()));
}

TEST(HtpasswdTest, ReportsEachInvalidLine) {
  const std::string text = absl::StrCat("alice\n",               // 1
                                        "bob:", kHash, "\n",     // 2
                                        "carol:$apr1$x$y\n",     // 3
                                        "bob:", kHash, "\n",     // 4
                                        "anyone:", kHash, "\n",  // 5
                                        "dave: ", kHash, "\n",   // 6
                                        "eve:", kHash, ":\n",    // 7
                                        ":", kHash, "\n");       // 8
  const std::string problems = ProblemsOf(text);
  EXPECT_THAT(problems, HasSubstr("users:1: no \":\""));
  EXPECT_THAT(problems, Not(HasSubstr("users:2:")));
  EXPECT_THAT(problems, HasSubstr("users:3: user carol: the hash is not a bcrypt hash"));
  EXPECT_THAT(problems, HasSubstr("users:4: user bob occurs twice"));
  EXPECT_THAT(problems, HasSubstr("users:5: \"anyone\" is reserved"));
  EXPECT_THAT(problems, HasSubstr("users:6: user dave: the hash is not a bcrypt hash"));
  EXPECT_THAT(problems, HasSubstr("users:7: user eve: the bcrypt hash is malformed"));
  EXPECT_THAT(problems, HasSubstr("users:8: a user's name cannot be empty"));
}

TEST(HtpasswdTest, ProblemsContainNoHashAndAreLimited) {
  std::string text = "alice:plaintext-password\nbob-without-colon-secret\n";
  for (int i = 0; i < 100; ++i) absl::StrAppend(&text, "user", i, ":x\n");
  const std::string problems = ProblemsOf(text);
  EXPECT_THAT(problems, Not(HasSubstr("plaintext-password")));
  EXPECT_THAT(problems, Not(HasSubstr("secret")));
  EXPECT_EQ(std::count(problems.begin(), problems.end(), '\n'), 19);
}

}  // namespace
}  // namespace entrepot::auth
