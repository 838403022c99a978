#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ctl/command_line/command.h"
#include "services/ctl/testing/command_test_fixture.h"

namespace entrepot::ctl {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class UserCommandsTest : public CommandTest {};

TEST_F(UserCommandsTest, ListPrintsATableOrJson) {
  const std::string answer = R"({"users": {"users": [{"name": "ci", "fromFile": true}]}})";
  EXPECT_EQ(Administer({"users", "list"}, R"({"listUsers": {}})", answer),
            "USER  KEPT IN        GROUPS  CREATED (UTC)  LAST USED (UTC)\n"
            "ci    accounts file  -       -              never\n");
  const std::string json = Administer({"users", "list", "--output=json"}, R"({"listUsers": {}})", answer);
  EXPECT_TRUE(IsSameJson(json, R"({"users": [{"name": "ci", "fromFile": true, "groups": []}]})"));
}

TEST_F(UserCommandsTest, CreateTakesThePasswordFromAFile) {
  const std::string file = WriteFile("password", "her password\nmore\n");
  EXPECT_EQ(Administer({"users", "create", "alice", "--new-password-file", file},
                       R"({"createUser": {"name": "alice", "password": "her password"}})", R"({"done": {}})"),
            "made the user alice\n");
}

TEST_F(UserCommandsTest, CreateTakesThePasswordFromTheStandardInput) {
  http_.Answer(R"({"done": {}})");
  const Outcome outcome = Run({"users", "create", "alice", "--new-password-file=-", "--output", "json"}, "typed\r\n");
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_EQ(outcome.out, "{}\n");
  EXPECT_TRUE(IsSameJson(http_.requests.at(0).body, R"({"createUser": {"name": "alice", "password": "typed"}})"));
}

TEST_F(UserCommandsTest, CreateNeedsAPassword) {
  EXPECT_THAT(UsageError({"users", "create", "alice", "--new-password-file", WriteFile("empty", "\n")}),
              HasSubstr("is empty"));
  EXPECT_THAT(UsageError({"users", "create", "alice", "--new-password-file", "/nowhere"}),
              HasSubstr("cannot read /nowhere"));
  EXPECT_THAT(UsageError({"users", "create", "alice", "--new-password-file"}),
              HasSubstr("--new-password-file needs a value"));
}

TEST_F(UserCommandsTest, SetPassword) {
  EXPECT_EQ(Administer({"users", "set-password", "alice", "--new-password-file", WriteFile("password", "new\n")},
                       R"({"setPassword": {"name": "alice", "password": "new"}})", R"({"done": {}})"),
            "set the password of alice\n");
}

TEST_F(UserCommandsTest, Delete) {
  EXPECT_EQ(Administer({"users", "delete", "alice"}, R"({"deleteUser": {"name": "alice"}})", R"({"done": {}})"),
            "deleted the user alice\n");
}

TEST_F(UserCommandsTest, ReportsRefusals) {
  const std::string file = WriteFile("password", "x\n");
  ExpectRefusalIsReported({"users", "list"});
  ExpectRefusalIsReported({"users", "create", "alice", "--new-password-file", file});
  ExpectRefusalIsReported({"users", "set-password", "alice", "--new-password-file", file});
  ExpectRefusalIsReported({"users", "delete", "alice"});
}

TEST_F(UserCommandsTest, NeedsAName) {
  EXPECT_THAT(UsageError({"users", "create"}), HasSubstr("NAME is required"));
  EXPECT_THAT(UsageError({"users", "set-password"}), HasSubstr("NAME is required"));
  EXPECT_THAT(UsageError({"users", "delete"}), HasSubstr("NAME is required"));
  EXPECT_THAT(UsageError({"hash-password"}), HasSubstr("NAME is required"));
  EXPECT_THAT(UsageError({"users", "list", "alice"}), HasSubstr("unexpected argument alice"));
}

TEST_F(UserCommandsTest, HashPasswordSendsNothing) {
  const Outcome line = Run({"hash-password", "admin", "--new-password-file", "-"}, "my own\n");
  EXPECT_EQ(line.code, kOk) << line.err;
  EXPECT_THAT(line.out, MatchesRegex("admin:\\$2[by]\\$10\\$[./A-Za-z0-9]+\n"));
  const Outcome json = Run({"hash-password", "admin", "--new-password-file", "-", "--output", "json"}, "my own\n");
  EXPECT_THAT(json.out, MatchesRegex("\\{\"account\": \"admin\", \"hash\": \"\\$2[by]\\$10\\$[./A-Za-z0-9]+\"\\}\n"));
  EXPECT_TRUE(http_.requests.empty() && http_.logins.empty());
}

TEST_F(UserCommandsTest, HashPasswordPutsTheLineIntoAFile) {
  const std::string file = PathOf("accounts");
  const std::vector<std::string> words = {"hash-password", "admin", "--new-password-file", "-", "--file", file};
  EXPECT_EQ(Run(words, "first\n").out, "added admin in " + file + "\n");
  EXPECT_EQ(Run(words, "second\n").out, "replaced admin in " + file + "\n");
}

TEST_F(UserCommandsTest, HashPasswordChecksItsInput) {
  const std::string file = WriteFile("long", std::string(73, 'x') + "\n");
  EXPECT_THAT(UsageError({"hash-password", "admin", "--new-password-file", file}), HasSubstr("longer than 72 bytes"));
  EXPECT_EQ(Run({"hash-password", "a:b", "--new-password-file", file}).code, kUsage);
}

}  // namespace
}  // namespace entrepot::ctl
