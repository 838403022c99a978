#include "services/auth/admin/admin_commands.h"

#include <string>

#include "absl/strings/str_split.h"
#include "boost/json/parse.hpp"
#include "google/protobuf/text_format.h"
#include "services/auth/authority_test_fixture.h"
#include "services/status/oci_error.h"

namespace entrepot::auth {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AdminCommandsTest : public AuthorityTest {
 protected:
  static v1::AdministerRequest Request(const std::string& text) {
    v1::AdministerRequest request;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &request)) << text;
    return request;
  }
  v1::AdministerResponse Do(const std::string& text) {
    const auto response = Administer(Request(text));
    EXPECT_OK(response) << text;
    return response.value_or(v1::AdministerResponse());
  }
  absl::Status Fails(const std::string& text) { return Administer(Request(text)).status(); }
  v1::Explanation Explained(const std::string& subject, const std::string& action, const std::string& repository) {
    return Do(absl::StrCat("explain { subject: '", subject, "' action: '", action, "' repository: '", repository,
                           "' }"))
        .explanation();
  }
};

TEST_F(AdminCommandsTest, AllowsOnlyAdministrators) {
  for (const char* caller : {"", "ci", "nobody", "robot+x", "oidc+p:s"}) {
    for (const char* command :
         {"list_users {}", "create_user { name: 'x' password: 'y' }", "rotate_keys {}", "back_up_accounts {}", ""}) {
      EXPECT_THAT(Administer(Request(command), caller), IsOciError(OciErrorCode::kDenied)) << caller << command;
    }
  }
  EXPECT_OK(Administer(Request("list_users {}"), "admin"));
  EXPECT_THAT(Fails(""), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(AdminCommandsTest, BacksUpNothingIfAnotherServiceBacksUpTheKv) {
  const v1::AdministerResponse response = Do("back_up_accounts { name: 'nightly' }");
  EXPECT_TRUE(response.has_accounts_backup());
  EXPECT_EQ(response.accounts_backup().directory(), "");
}

TEST_F(AdminCommandsTest, RefusesDeletedAdministrators) {
  Do("create_user { name: 'olga' password: 'olga-password' }");
  EXPECT_THAT(Administer(Request("list_users {}"), "olga"), IsOciError(OciErrorCode::kDenied));
  Do("add_to_group { group: 'operators' account: 'olga' }");
  EXPECT_OK(Administer(Request("list_users {}"), "olga"));
  EXPECT_EQ(GrantedTo(As("olga", {"registry:administration:*"})), "registry:administration:*");
  Do("delete_user { name: 'olga' }");
  EXPECT_THAT(Administer(Request("list_users {}"), "olga"), IsOciError(OciErrorCode::kDenied));
  Do("create_user { name: 'olga' password: 'olga-password' }");
  EXPECT_THAT(Administer(Request("list_users {}"), "olga"), IsOciError(OciErrorCode::kDenied));
}

TEST_F(AdminCommandsTest, CreatesAndDeletesUsers) {
  EXPECT_TRUE(Do("create_user { name: 'alice' password: 'alice-password' }").has_done());
  EXPECT_OK(authority_->IssueToken(As("alice")));
  EXPECT_THAT(Fails("create_user { name: 'alice' password: 'x' }"), StatusIs(absl::StatusCode::kAlreadyExists));
  const std::string refresh = NewRefreshToken(As("alice"));
  EXPECT_OK(authority_->IssueToken(Refresh(refresh)));
  Do("set_password { name: 'alice' password: 'another' }");
  EXPECT_THAT(authority_->IssueToken(As("alice")), IsOciError(OciErrorCode::kUnauthorized));
  EXPECT_THAT(authority_->IssueToken(Refresh(refresh)), IsOciError(OciErrorCode::kUnauthorized));
  EXPECT_OK(authority_->IssueToken(Password("alice", "another")));
  Do("delete_user { name: 'alice' }");
  EXPECT_THAT(authority_->IssueToken(Password("alice", "another")), IsOciError(OciErrorCode::kUnauthorized));
  EXPECT_THAT(Fails("delete_user { name: 'alice' }"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(AdminCommandsTest, RefusesInvalidUsers) {
  for (const char* name : {"", "a b", "anyone", "robot+x", "oidc+x", "group:x"}) {
    EXPECT_THAT(Fails(absl::StrCat("create_user { name: '", name, "' password: 'x' }")),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << name;
  }
  for (const std::string& password : {std::string(), std::string("line\\n"), std::string(73, 'x')}) {
    EXPECT_THAT(Fails(absl::StrCat("create_user { name: 'a' password: '", password, "' }")),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << password;
  }
}

TEST_F(AdminCommandsTest, DoesNotChangeUsersOfTheAccountsFile) {
  EXPECT_THAT(Fails("create_user { name: 'ci' password: 'x' }"), StatusIs(absl::StatusCode::kAlreadyExists));
  for (const char* command : {"set_password { name: 'ci' password: 'x' }", "delete_user { name: 'ci' }"}) {
    const absl::Status status = Fails(command);
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition)) << command;
    EXPECT_THAT(std::string(status.message()), HasSubstr("in the accounts file"));
  }
}

TEST_F(AdminCommandsTest, UsersOfTheFileShadowThoseOfTheKv) {
  Do("create_user { name: 'alice' password: 'alice-password' }");
  Write("accounts", absl::StrCat(Read("accounts"), "alice:", BcryptHash::Make("of the file", 4).ToString(), "\n"));
  Open();
  EXPECT_THAT(authority_->IssueToken(As("alice")), IsOciError(OciErrorCode::kUnauthorized));
  EXPECT_OK(authority_->IssueToken(Password("alice", "of the file")));
  int shown = 0;
  const v1::Users users = Do("list_users {}").users();
  for (const auto& user : users.users()) {
    if (user.name() != "alice") continue;
    ++shown;
    EXPECT_TRUE(user.from_file());
  }
  EXPECT_EQ(shown, 1);
  // The user that it shadows can be deleted.
  EXPECT_OK(Administer(Request("delete_user { name: 'alice' }")));
}

TEST_F(AdminCommandsTest, ListsUsers) {
  Do("create_user { name: 'bob' password: 'bob-password' }");
  Do("add_to_group { group: 'cleaners' account: 'ci' }");
  clock_.Advance(absl::Hours(1));
  Issue(As("ci"));
  const v1::Users users = Do("list_users {}").users();
  ASSERT_EQ(users.users_size(), 4);
  EXPECT_EQ(users.users(1).name(), "bob");
  EXPECT_FALSE(users.users(1).from_file());
  EXPECT_EQ(users.users(1).created_at().seconds(), absl::ToUnixSeconds(clock_.Now() - absl::Hours(1)));
  EXPECT_FALSE(users.users(1).has_last_used_at());
  EXPECT_EQ(users.users(2).name(), "ci");
  EXPECT_TRUE(users.users(2).from_file());
  EXPECT_THAT(users.users(2).groups(), ElementsAre("builders", "cleaners"));
  EXPECT_EQ(users.users(2).last_used_at().seconds(), absl::ToUnixSeconds(clock_.Now()));
}

TEST_F(AdminCommandsTest, RobotsMayDoWhatTheirScopesAllow) {
  const v1::RobotSecret made = Do(R"(create_robot { name: "deploy"
      scopes { repositories: "driftwood/*" actions: "pull" }
      scopes { repositories: "tools" actions: "push" actions: "delete" } })")
                                   .robot_secret();
  EXPECT_EQ(made.account(), "robot+deploy");
  EXPECT_EQ(made.robot().created_by(), "admin");
  const auto granted = [&](const std::string& scope) {
    return GrantedTo(Password(made.account(), made.secret(), {scope}));
  };
  EXPECT_EQ(granted("repository:driftwood/web:pull,push"), "repository:driftwood/web:pull");
  EXPECT_EQ(granted("repository:tools:*"), "repository:tools:delete,push");
  EXPECT_EQ(granted("repository:public/a:pull"), "repository:public/a:pull");
  EXPECT_EQ(granted("repository:other:pull"), "");
  EXPECT_EQ(granted("registry:catalog:*"), "registry:catalog:*");
  EXPECT_EQ(granted("registry:administration:*"), "");
  EXPECT_THAT(authority_->GetReadableRepositories("robot+deploy"),
              IsOkAndHolds(ElementsAre("driftwood/*", "public/**")));
  EXPECT_THAT(authority_->IssueToken(Password("robot+deploy", "wrong")), IsOciError(OciErrorCode::kUnauthorized));
  EXPECT_THAT(authority_->IssueToken(Password("deploy", made.secret())), IsOciError(OciErrorCode::kUnauthorized));
}

TEST_F(AdminCommandsTest, RobotsExpireRotateAndAreDeleted) {
  const v1::RobotSecret made =
      Do("create_robot { name: 'robot+a' lifetime { seconds: 3600 } scopes { repositories: 'a' actions: 'pull' } }")
          .robot_secret();
  EXPECT_EQ(made.robot().name(), "a");
  const std::string refresh = NewRefreshToken(Password("robot+a", made.secret()));
  EXPECT_OK(authority_->IssueToken(Refresh(refresh)));
  const v1::RobotSecret rotated = Do("rotate_robot_secret { name: 'a' }").robot_secret();
  EXPECT_THAT(authority_->IssueToken(Password("robot+a", made.secret())), IsOciError(OciErrorCode::kUnauthorized));
  EXPECT_THAT(authority_->IssueToken(Refresh(refresh)), IsOciError(OciErrorCode::kUnauthorized));
  clock_.Advance(absl::Minutes(58));
  // A token does not outlive the credential.
  EXPECT_EQ(Issue(Password("robot+a", rotated.secret())).expires_in_seconds(), 120u);
  EXPECT_TRUE(Do("list_robots {}").robots().robots(0).has_last_used_at());
  clock_.Advance(absl::Minutes(2));
  EXPECT_THAT(authority_->IssueToken(Password("robot+a", rotated.secret())), IsOciError(OciErrorCode::kUnauthorized));
  EXPECT_THAT(authority_->GetReadableRepositories("robot+a"), IsOkAndHolds(ElementsAre("public/**")));
  EXPECT_EQ(Explained("robot+a", "pull", "a").reason(), "robot+a has expired");
  Do("delete_robot { name: 'a' }");
  EXPECT_THAT(Fails("delete_robot { name: 'a' }"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Fails("create_robot { name: 'b' scopes { repositories: '//' actions: 'pull' } }"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(AdminCommandsTest, ARightRobotSecretIsAcceptedFromALimitedAddress) {
  const v1::RobotSecret made = Do("create_robot { name: 'a' }").robot_secret();
  for (int i = 0; i < 4; ++i) authority_->IssueToken(Password("ci", "guess")).status().IgnoreError();
  EXPECT_THAT(authority_->IssueToken(As("ci")), IsOciError(OciErrorCode::kTooManyRequests));
  EXPECT_OK(authority_->IssueToken(Password("robot+a", made.secret())));
  EXPECT_THAT(authority_->IssueToken(Password("robot+a", "guess")), IsOciError(OciErrorCode::kTooManyRequests));
}

TEST_F(AdminCommandsTest, Groups) {
  Do("add_to_group { group: 'cleaners' account: 'prod' }");
  EXPECT_EQ(GrantedTo(As("prod", {"repository:driftwood/web:*"})), "repository:driftwood/web:*");
  const v1::Groups groups = Do("list_groups {}").groups();
  ASSERT_EQ(groups.groups_size(), 3);
  EXPECT_EQ(groups.groups(0).name(), "builders");
  EXPECT_THAT(groups.groups(0).members_from_file(), ElementsAre("ci"));
  EXPECT_THAT(groups.groups(1).members(), ElementsAre("prod"));
  Do("remove_from_group { group: 'cleaners' account: 'prod' }");
  EXPECT_EQ(GrantedTo(As("prod", {"repository:driftwood/web:*"})), "repository:driftwood/web:pull");
  EXPECT_THAT(Fails("remove_from_group { group: 'cleaners' account: 'prod' }"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Fails("remove_from_group { group: 'builders' account: 'ci' }"),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Fails("add_to_group { group: 'cleaners' account: 'nobody' }"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Fails("add_to_group { group: 'cleaners' account: 'robot+a' }"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Fails("add_to_group { group: 'a b' account: 'ci' }"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(AdminCommandsTest, OldTokensStayValidAfterAKeyRotation) {
  const v1::IssueTokenResponse before = Issue(As("ci"));
  clock_.Advance(absl::Seconds(10));
  Do("rotate_keys {}");
  const v1::IssueTokenResponse after = Issue(As("ci"));
  EXPECT_EQ(ClaimsOf(before.token()).subject, "ci");
  EXPECT_EQ(ClaimsOf(after.token()).subject, "ci");
  const v1::Keys keys = Do("list_keys {}").keys();
  ASSERT_EQ(keys.keys_size(), 2);
  EXPECT_TRUE(keys.keys(0).active());
  EXPECT_EQ(keys.keys(0).algorithm(), "ES256");
  EXPECT_FALSE(keys.keys(0).has_verifies_until());
  EXPECT_FALSE(keys.keys(1).active());
  EXPECT_TRUE(keys.keys(1).has_verifies_until());
}

TEST_F(AdminCommandsTest, RefreshTokensAreRevoked) {
  const std::string ci = NewRefreshToken(As("ci")), prod = NewRefreshToken(As("prod"));
  Do("revoke_refresh_tokens { account: 'ci' }");
  EXPECT_THAT(authority_->IssueToken(Refresh(ci)), IsOciError(OciErrorCode::kUnauthorized));
  EXPECT_OK(authority_->IssueToken(Refresh(prod)));
  EXPECT_THAT(Fails("revoke_refresh_tokens { account: 'nobody' }"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(AdminCommandsTest, ExplainsWhichRuleDecides) {
  v1::Explanation explanation = Explained("ci", "push", "driftwood/web");
  EXPECT_TRUE(explanation.allowed());
  EXPECT_EQ(explanation.reason(), "rule 2 (\"ci pushes\") of policy.yaml allows it");
  EXPECT_THAT(explanation.groups(), ElementsAre("builders"));
  EXPECT_THAT(explanation.tag_rules(),
              ElementsAre("immutable_tags rule 1 (\"releases\") of policy.yaml: release-*",
                          "create_only_tags rule 1 (\"snapshots\") of policy.yaml: snapshot-*"));

  explanation = Explained("prod", "push", "driftwood/web");
  EXPECT_FALSE(explanation.allowed());
  EXPECT_EQ(explanation.reason(), "rule 1 (\"prod pulls\") of policy.yaml allows only pull");
  EXPECT_EQ(explanation.tag_rules_size(), 1);

  EXPECT_TRUE(Explained("anonymous", "pull", "public/a").allowed());
  EXPECT_FALSE(Explained("anonymous", "push", "public/a").allowed());
  EXPECT_TRUE(Explained("admin", "delete", "any").allowed());
  EXPECT_THAT(Explained("nobody", "pull", "public/a").reason(), HasSubstr("there is no account of that name"));
}

TEST_F(AdminCommandsTest, ExplainsRobots) {
  Do("create_robot { name: 'a' scopes { repositories: 'x' actions: 'pull' } scopes { repositories: 'y' actions: 'pull' "
     "} }");
  EXPECT_EQ(Explained("robot+a", "pull", "y").reason(), "scope 2 of robot+a allows it");
  const v1::Explanation refused = Explained("robot+a", "push", "y");
  EXPECT_FALSE(refused.allowed());
  EXPECT_THAT(refused.reason(), HasSubstr(", and the scopes of robot+a allow only pull"));
  EXPECT_THAT(Explained("robot+a", "pull", "public/a").reason(), HasSubstr("rule 4"));
}

TEST_F(AdminCommandsTest, RefusesInvalidExplanations) {
  for (const char* question :
       {"subject: 'a b' action: 'pull' repository: 'a'", "subject: 'ci' action: '*' repository: 'a'",
        "subject: 'ci' action: 'pull' repository: 'A'", "subject: '' action: 'pull' repository: 'a'",
        "subject: 'group:x' action: 'pull' repository: 'a'"}) {
    EXPECT_THAT(Fails(absl::StrCat("explain { ", question, " }")), StatusIs(absl::StatusCode::kInvalidArgument))
        << question;
  }
}

TEST_F(AdminCommandsTest, ChecksPolicies) {
  EXPECT_THAT(Do("check_policy { text: 'administrators: [admin]' }").policy_problems().lines(), IsEmpty());
  const v1::PolicyProblems problems =
      Do("check_policy { text: 'rules: [{subjects: [a], repositories: [A, B], actions: [fly]}]' }").policy_problems();
  EXPECT_GE(problems.lines_size(), 3);
  EXPECT_THAT(problems.lines(0), HasSubstr("policy:1: rules[0]"));
  EXPECT_THAT(Do("check_policy { text: 'a: b' file_name: 'x.yaml' }").policy_problems().lines(0),
              HasSubstr("x.yaml:1: unknown field"));
}

TEST_F(AdminCommandsTest, WarnsOfAccountsThatAPolicyNamesAndTheRegistryDoesNotHave) {
  const std::string check = R"(check_policy { text: 'groups: [{name: night}, {name: day}]\nadministrators:'
      '\n- admin\n- alice\n- robot+a\n- robot+b\n' })";
  EXPECT_THAT(Do(check).policy_problems().warnings(),
              ElementsAre("policy:4: administrators[1]: the registry has no user \"alice\"",
                          "policy:5: administrators[2]: the registry has no robot \"a\"",
                          "policy:6: administrators[3]: the registry has no robot \"b\"",
                          "policy:1: groups[0]: the group \"night\" has no members",
                          "policy:1: groups[1]: the group \"day\" has no members"));
  Do("create_user { name: 'alice' password: 'alice-password' }");
  Do("create_robot { name: 'a' }");
  Do("add_to_group { group: 'night' account: 'ci' }");
  EXPECT_THAT(Do(check).policy_problems().warnings(),
              ElementsAre("policy:6: administrators[3]: the registry has no robot \"b\"",
                          "policy:1: groups[1]: the group \"day\" has no members"));
}

TEST_F(AdminCommandsTest, EveryCommandIsInTheAuditLogWithoutSecrets) {
  const std::string secret = Do("create_robot { name: 'a' }").robot_secret().secret();
  Do("create_user { name: 'alice' password: 'alice-password' }");
  Administer(Request("delete_user { name: 'alice' }"), "ci").status().IgnoreError();
  Do("check_policy { text: 'administrators: [secret-name]' }");
  Fails("delete_robot { name: 'none' }").IgnoreError();
  const std::string text = Read("audit");
  for (const char* hidden : {secret.c_str(), "alice-password", "secret-name"})
    EXPECT_THAT(text, Not(HasSubstr(hidden)));
  std::vector<boost::json::object> lines;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    lines.push_back(boost::json::parse(std::string(line)).as_object());
  }
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[0].at("event"), "administration");
  EXPECT_EQ(lines[0].at("account"), "admin");
  EXPECT_EQ(lines[0].at("address"), "192.0.2.9");
  EXPECT_EQ(lines[0].at("command"), "create_robot");
  EXPECT_EQ(lines[0].at("target"), "a");
  EXPECT_EQ(lines[0].at("decision"), "done");
  EXPECT_EQ(lines[2].at("account"), "ci");
  EXPECT_EQ(lines[2].at("decision"), "denied");
  EXPECT_EQ(lines[4].at("decision"), "failed");
  EXPECT_EQ(lines[4].at("reason"), "there is no robot \"none\"");
}

}  // namespace
}  // namespace entrepot::auth
