#include "services/ctl/client/registry_client.h"

#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ctl/command_line/command.h"
#include "services/ctl/testing/command_test_fixture.h"
#include "services/status/status_matchers.h"

namespace entrepot::ctl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class RegistryClientTest : public CommandTest {
 protected:
  RegistryClient Client(const std::string& username = "admin") {
    return RegistryClient(
        {.registry = "https://r.example", .username = username, .password = "s3cret", .ca_file = "/ca.pem"}, http_);
  }

  static auth::v1::AdministerRequest ListUsers() {
    auth::v1::AdministerRequest request;
    request.mutable_list_users();
    return request;
  }
  static manifest::v1::MaintainRequest GetStatus() {
    manifest::v1::MaintainRequest request;
    request.mutable_get_status();
    return request;
  }
};

TEST_F(RegistryClientTest, LogsInOnceWithThePassword) {
  RegistryClient client = Client();
  http_.Answer(R"({"users": {}})");
  http_.Answer(R"({"users": {"users": [{"name": "ci"}], "later": 1}})");
  EXPECT_OK(client.Administer(ListUsers()).status());
  ASSERT_OK_AND_ASSIGN(const auto response, client.Administer(ListUsers()));
  EXPECT_EQ(response.users().users(0).name(), "ci") << "unknown fields are ignored";
  ASSERT_EQ(http_.logins.size(), 1u);
  EXPECT_EQ(http_.logins[0].url, "https://r.example/token?client_id=entrepotctl&scope=registry%3Aadministration%3A%2A");
  EXPECT_EQ(http_.logins[0].method, "GET");
  EXPECT_EQ(http_.logins[0].username, "admin");
  EXPECT_EQ(http_.logins[0].password, "s3cret");
  EXPECT_EQ(http_.logins[0].ca_file, "/ca.pem");
  ASSERT_EQ(http_.requests.size(), 2u);
  EXPECT_EQ(http_.requests[1].token, "t0k3n");
  EXPECT_EQ(http_.requests[1].username, "");
  EXPECT_EQ(http_.requests[1].ca_file, "/ca.pem");
  EXPECT_TRUE(client.logged_in());
}

TEST_F(RegistryClientTest, LogsInAgainIfTheTokenHasExpired) {
  RegistryClient client = Client();
  http_.Answer(R"({"status": {}})");
  EXPECT_OK(client.Maintain(GetStatus()).status());
  http_.token.body = R"({"token": "new"})";
  http_.AnswerWith(HttpAnswer{401, ""});
  http_.Answer(R"({"status": {"queued": "3"}})");
  ASSERT_OK_AND_ASSIGN(const auto response, client.Maintain(GetStatus()));
  EXPECT_EQ(response.status().queued(), 3u);
  EXPECT_EQ(http_.logins.size(), 2u);
  EXPECT_EQ(http_.requests.at(2).token, "new");
  EXPECT_EQ(http_.requests.at(2).body, http_.requests.at(1).body);
}

TEST_F(RegistryClientTest, StatusCodesFollowFromTheAnswer) {
  const std::pair<int, absl::StatusCode> codes[] = {{400, absl::StatusCode::kFailedPrecondition},
                                                    {403, absl::StatusCode::kFailedPrecondition},
                                                    {404, absl::StatusCode::kNotFound},
                                                    {500, absl::StatusCode::kFailedPrecondition},
                                                    {503, absl::StatusCode::kUnavailable}};
  RegistryClient client = Client();
  for (const auto& [status, code] : codes) {
    http_.AnswerWith(HttpAnswer{status, ""});
    EXPECT_THAT(client.Administer(ListUsers()), StatusIs(code)) << status;
  }
  http_.AnswerWith(absl::UnavailableError("no answer from r.example"));
  EXPECT_THAT(client.Administer(ListUsers()), StatusIs(absl::StatusCode::kUnavailable));
  http_.Answer("<html>");
  const absl::Status odd = client.Administer(ListUsers()).status();
  EXPECT_EQ(odd.message(), "the registry's answer is not the expected JSON");
}

TEST_F(RegistryClientTest, ReportsAFailedLogin) {
  http_.token = {401, R"({"errors": [{"code": "UNAUTHORIZED", "message": "wrong password"}]})"};
  const absl::Status refused = Client().Administer(ListUsers()).status();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_EQ(refused.message(), "the registry answered 401 UNAUTHORIZED: wrong password");
  http_.token = {200, "{}"};
  EXPECT_THAT(Client().Administer(ListUsers()), StatusIs(absl::StatusCode::kFailedPrecondition));
  http_.token = {404, ""};
  const absl::Status none = Client().Administer(ListUsers()).status();
  EXPECT_THAT(none, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(std::string(none.message()), HasSubstr("https://r.example issues no tokens: it runs without accounts"));
}

TEST_F(RegistryClientTest, NeedsAnAccountIfTheRegistryHasAccounts) {
  RegistryClient client = Client(/*username=*/"");
  EXPECT_THAT(client.Administer(ListUsers()), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(client.DeleteRepository("a"), StatusIs(absl::StatusCode::kInvalidArgument));
  http_.AnswerWith(HttpAnswer{401, ""});
  const absl::Status maintain = client.Maintain(GetStatus()).status();
  EXPECT_THAT(maintain, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(maintain.message()), AllOf(HasSubstr("ENTREPOT_USERNAME"), HasSubstr("--username")));
}

TEST_F(RegistryClientTest, MaintainsARegistryWithoutAccountsWithoutAToken) {
  http_.token = {404, ""};
  RegistryClient client = Client();
  for (int i = 0; i < 2; ++i) {
    http_.Answer(R"({"status": {}})");
    EXPECT_OK(client.Maintain(GetStatus()).status());
  }
  EXPECT_EQ(http_.logins.size(), 1u) << "the registry is asked for a token once";
  EXPECT_EQ(http_.requests.at(1).token, "");
  EXPECT_FALSE(client.logged_in());
}

TEST_F(RegistryClientTest, SendsNothingThatIsNotUtf8) {
  auth::v1::AdministerRequest request;
  request.mutable_delete_user()->set_name("\xff");
  EXPECT_THAT(Client().Administer(request), StatusIs(absl::StatusCode::kInvalidArgument));
  request.mutable_create_robot()->add_scopes()->add_repositories("a\xc3");
  EXPECT_THAT(Client().Administer(request), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_TRUE(http_.requests.empty());
}

TEST_F(RegistryClientTest, WarnsBeforeItSendsAPasswordWithoutEncryption) {
  const std::pair<const char*, bool> registries[] = {{"http://r.example", true},
                                                     {"https://r.example", false},
                                                     {"http://localhost:1", false},
                                                     {"http://127.0.0.1:1", false},
                                                     {"http://[::1]:1", false},
                                                     {"localhost:1", false},
                                                     {"http://localhost.evil.example", true},
                                                     {"http://127.0.0.1.evil.example", true},
                                                     {"HTTP://r.example", true}};
  for (const auto& [registry, warns] : registries) {
    http_.Answer(R"({"users": {}})");
    const Outcome outcome = Run({"users", "list", "--registry", registry});
    EXPECT_EQ(outcome.code, kOk);
    EXPECT_EQ(outcome.err.find("without encryption") != std::string::npos, warns) << registry;
  }
}

TEST_F(RegistryClientTest, OptionsComeFromTheCommandLineAndTheEnvironment) {
  const auto options = [](const std::map<std::string, std::vector<std::string>>& given) {
    return RegistryClient::OptionsOf(CommandLine(nullptr, {}, given)).value();
  };
  EXPECT_EQ(options({}).registry, "http://localhost:5000");
  EXPECT_EQ(options({}).password, "s3cret") << "ENTREPOT_PASSWORD";
  EXPECT_EQ(options({{"--registry", {"r.example/"}}}).registry, "https://r.example");
  EXPECT_EQ(options({{"--registry", {"http://r.example:5000"}}}).registry, "http://r.example:5000");
  EXPECT_EQ(options({{"--registry", {"localhost:5000"}}}).registry, "http://localhost:5000");
  EXPECT_EQ(options({{"--registry", {"127.0.0.1"}}}).registry, "http://127.0.0.1");
  EXPECT_EQ(options({{"--registry", {"[::1]:80"}}}).registry, "http://[::1]:80");
  EXPECT_EQ(options({{"--registry", {"https://localhost:5000"}}}).registry, "https://localhost:5000");
  EXPECT_EQ(options({{"--username", {"ci"}}}).username, "ci");
  EXPECT_EQ(options({{"--password-file", {"f"}}}).password_file, "f");
  EXPECT_EQ(options({{"--ca-file", {"c"}}}).ca_file, "c");
}

TEST_F(RegistryClientTest, RefusesWhatIsNotTheAddressOfARegistry) {
  for (const char* address : {"", "/", "ftp://r.example", "https://user:secret@r.example", "https://r.example/v2",
                              "https://r.example?a", "r.example:x", "a b", "http://"}) {
    const Outcome outcome = Run({"users", "list", "--registry", address});
    EXPECT_EQ(outcome.code, kUsage) << address;
    EXPECT_THAT(outcome.err, testing::StartsWith("entrepotctl: the registry's address ")) << address;
  }
  EXPECT_TRUE(http_.logins.empty() && http_.requests.empty());
}

TEST_F(RegistryClientTest, RefusesAnEmptyVariableUnlessNoRegistryIsNeeded) {
  ::setenv("ENTREPOT_REGISTRY", "", /*overwrite=*/1);
  const Outcome refused = Run({"users", "list"});
  EXPECT_EQ(refused.code, kUsage);
  EXPECT_EQ(refused.err, "entrepotctl: the registry's address is empty: give ENTREPOT_REGISTRY a value, or unset it\n");
  EXPECT_TRUE(http_.logins.empty() && http_.requests.empty());

  EXPECT_EQ(Run({"policy", "check", WriteFile("policy.yaml", "rules: []\n")}).code, kOk);
  http_.Answer(R"({"users": {}})");
  EXPECT_EQ(Run({"users", "list", "--registry", "localhost:5000"}).code, kOk);
  ::unsetenv("ENTREPOT_REGISTRY");
}

TEST_F(RegistryClientTest, ThePasswordFileComesBeforeTheEnvironment) {
  http_.Answer(R"({"users": {}})");
  EXPECT_EQ(Run({"users", "list", "--password-file", WriteFile("password", "from a file\n")}).code, kOk);
  EXPECT_EQ(http_.logins.at(0).password, "from a file");
  EXPECT_THAT(Run({"users", "list", "--password-file", "/nowhere"}).err, HasSubstr("cannot read /nowhere"));
}

TEST(ErrorTextTest, ContainsEveryErrorOnOneLine) {
  EXPECT_EQ(ErrorText({500, "<html>"}), "500");
  EXPECT_EQ(ErrorText({500, R"({"errors": []})"}), "500");
  EXPECT_EQ(ErrorText({403, R"({"errors": [{"code": "DENIED", "message": "no\n", "detail": {}}]})"}),
            "403 DENIED: no?");
  EXPECT_EQ(ErrorText({400, R"({"errors": [{"code": "A", "message": "x", "detail": "y"},
                                           {"code": "B", "message": "z", "detail": {"n": 1}}]})"}),
            "400 A: x (y); B: z ({\"n\":1})");
}

}  // namespace
}  // namespace entrepot::ctl
