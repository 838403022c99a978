#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ctl/command_line/command.h"
#include "services/ctl/testing/command_test_fixture.h"

namespace entrepot::ctl {
namespace {

using ::testing::HasSubstr;

class TokenCommandsTest : public CommandTest {};

TEST_F(TokenCommandsTest, RevokeTokens) {
  EXPECT_EQ(
      Administer({"tokens", "revoke", "alice"}, R"({"revokeRefreshTokens": {"account": "alice"}})", R"({"done": {}})"),
      "revoked the refresh tokens of alice\n");
}

TEST_F(TokenCommandsTest, ListKeysPrintsATableOrJson) {
  const std::string answer = R"({"keys": {"keys": [{"kid": "k1", "algorithm": "ES256", "active": true}]}})";
  EXPECT_EQ(Administer({"keys", "list"}, R"({"listKeys": {}})", answer),
            "KEY  ALGORITHM  CREATED (UTC)  USE\n"
            "k1   ES256      -              signs\n");
  EXPECT_TRUE(IsSameJson(Administer({"keys", "list", "--output=json"}, R"({"listKeys": {}})", answer),
                         R"({"keys": [{"kid": "k1", "algorithm": "ES256", "active": true}]})"));
}

TEST_F(TokenCommandsTest, RotateKeys) {
  EXPECT_EQ(Administer({"keys", "rotate"}, R"({"rotateKeys": {}})", R"({"done": {}})"),
            "a new key signs tokens from now on\n");
}

TEST_F(TokenCommandsTest, RejectsWrongArguments) {
  EXPECT_THAT(UsageError({"tokens", "revoke"}), HasSubstr("ACCOUNT is required"));
  EXPECT_THAT(UsageError({"tokens", "revoke", "alice", "bob"}), HasSubstr("unexpected argument bob"));
  EXPECT_THAT(UsageError({"keys", "rotate", "k1"}), HasSubstr("unexpected argument k1"));
  EXPECT_THAT(UsageError({"keys", "lits"}), HasSubstr("unknown command keys lits"));
}

TEST_F(TokenCommandsTest, ReportsRefusals) {
  ExpectRefusalIsReported({"tokens", "revoke", "alice"});
  ExpectRefusalIsReported({"keys", "list"});
  ExpectRefusalIsReported({"keys", "rotate"});
}

}  // namespace
}  // namespace entrepot::ctl
