#include "services/auth/authority.h"

#include <set>
#include <string>

#include "absl/strings/str_split.h"
#include "boost/json/parse.hpp"
#include "services/auth/authority_test_fixture.h"
#include "services/core/repository_name.h"
#include "services/core/tag.h"
#include "services/status/oci_error.h"
#include "services/status/retry_after.h"
#include "services/token/json_web_token.h"
#include "services/token/signing_key.h"

namespace entrepot::auth {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(AuthorityTest, ATokenHasAccountScopesAndExpiry) {
  const v1::IssueTokenResponse response = Issue(As("ci", {"repository:driftwood/web:pull,push"}));
  EXPECT_EQ(response.expires_in_seconds(), 300u);
  EXPECT_EQ(response.issued_at().seconds(), absl::ToUnixSeconds(clock_.Now()));
  EXPECT_EQ(response.scope(), "repository:driftwood/web:pull,push");
  EXPECT_EQ(response.refresh_token(), "");
  const token::RegistryClaims claims = ClaimsOf(response.token());
  EXPECT_EQ(claims.subject, "ci");
  EXPECT_EQ(claims.issuer, "entrepot");
  EXPECT_EQ(claims.audience, "entrepot");
  EXPECT_EQ(claims.expires_at, claims.issued_at + absl::Minutes(5));
  EXPECT_EQ(claims.not_before, claims.issued_at);
  EXPECT_EQ(JoinAccessScopes(claims.access), response.scope());
  EXPECT_NE(claims.id, ClaimsOf(Issue(As("ci")).token()).id);
}

TEST_F(AuthorityTest, GrantsTheIntersection) {
  EXPECT_EQ(GrantedTo(As("prod", {"repository:driftwood/web:pull,push"})), "repository:driftwood/web:pull");
  EXPECT_EQ(GrantedTo(As("prod", {"repository:driftwood/db:pull"})), "");
  EXPECT_EQ(GrantedTo(As("ci", {"repository:a/b:push", "repository:driftwood/web:pull repository:driftwood/db:push"})),
            "repository:driftwood/web:pull repository:driftwood/db:push");
  // One scope of a repository suffices.
  EXPECT_EQ(GrantedTo(As("ci", {"repository:driftwood/web:pull", "repository:driftwood/web:push"})),
            "repository:driftwood/web:pull,push");
  EXPECT_EQ(GrantedTo(As("ci", {"repository(plugin):driftwood/web:pull"})), "repository:driftwood/web:pull");
}

TEST_F(AuthorityTest, InvalidScopesGrantNothingWithoutAnError) {
  EXPECT_EQ(GrantedTo(As("admin", {"nonsense", "repository:A/B:pull", "repository:../x:pull", "plugin:x:pull",
                                   "repository:a/b:fly", "repository:a/b:", "registry:other:*", "a:\"b\":c"})),
            "");
  EXPECT_EQ(GrantedTo(As("admin", {"nonsense repository:a/b:pull"})), "repository:a/b:pull");
}

TEST_F(AuthorityTest, ATokenContainsRequestedRepositoriesWithoutActions) {
  const v1::IssueTokenResponse response =
      Issue(As("prod", {"repository:driftwood/db:pull", "repository:driftwood/web:pull", "plugin:x:pull"}));
  EXPECT_EQ(response.scope(), "repository:driftwood/web:pull");
  EXPECT_THAT(ClaimsOf(response.token()).access,
              ElementsAre(AccessScope{.type = "repository", .name = "driftwood/db", .actions = {}},
                          AccessScope{.type = "repository", .name = "driftwood/web", .actions = {"pull"}}));
}

TEST_F(AuthorityTest, TheStarIsGrantedOnlyIfAllActionsAre) {
  EXPECT_EQ(GrantedTo(As("admin", {"repository:any/thing:*"})), "repository:any/thing:*");
  EXPECT_EQ(GrantedTo(As("ci", {"repository:driftwood/web:*"})), "repository:driftwood/web:pull,push");
  EXPECT_EQ(GrantedTo(As("admin", {"repository:any/thing:push,pull,delete"})), "repository:any/thing:delete,pull,push");
}

TEST_F(AuthorityTest, TokensOfAccountsShowWhatWasDenied) {
  const token::RegistryClaims claims =
      ClaimsOf(Issue(As("prod", {"repository:driftwood/web:pull,push repository:secret:pull"})).token());
  ASSERT_EQ(claims.denied.size(), 2u);
  EXPECT_EQ(claims.denied[0].scope.ToString(), "repository:driftwood/web:push");
  EXPECT_EQ(claims.denied[0].reason, "rule 1 (\"prod pulls\") of policy.yaml allows only pull");
  EXPECT_EQ(claims.denied[1].scope.ToString(), "repository:secret:pull");
  EXPECT_EQ(claims.denied[1].reason, "no rule of policy.yaml allows it");
  EXPECT_TRUE(ClaimsOf(Issue(Anonymous({"repository:secret:pull"})).token()).denied.empty());
}

TEST_F(AuthorityTest, LeavesOutReasonsThatDoNotFitIntoAToken) {
  std::vector<std::string> scopes;
  for (int i = 0; i < 1000; ++i) {
    scopes.push_back(absl::StrCat("repository:driftwood/", std::string(18, 'x'), i, ":pull,push"));
  }
  for (int i = 0; i < 7; ++i) scopes.push_back(absl::StrCat("repository:", std::string(249, 's'), i, ":pull"));
  const std::string token = Issue(As("ci", scopes)).token();
  EXPECT_GT(token.size(), token::kTokenBytesMax - 2000);
  EXPECT_EQ(ClaimsOf(token).access.size(), 1007u);
  EXPECT_TRUE(ClaimsOf(token).denied.empty());
}

TEST_F(AuthorityTest, AnonymousTokens) {
  const v1::IssueTokenResponse response =
      Issue(Anonymous({"repository:public/a:pull,push", "repository:driftwood/web:pull"}));
  EXPECT_EQ(response.scope(), "repository:public/a:pull");
  EXPECT_EQ(ClaimsOf(response.token()).subject, "");
}

TEST_F(AuthorityTest, ScopesOfTheRegistry) {
  EXPECT_EQ(GrantedTo(As("prod", {"registry:catalog:*"})), "registry:catalog:*");
  EXPECT_EQ(GrantedTo(Anonymous({"registry:catalog:*"})), "registry:catalog:*");
  EXPECT_EQ(GrantedTo(As("prod", {"registry:catalog:pull"})), "");
  EXPECT_EQ(GrantedTo(As("prod", {"registry:administration:*"})), "");
  EXPECT_EQ(GrantedTo(Anonymous({"registry:administration:*"})), "");
  EXPECT_EQ(GrantedTo(As("admin", {"registry:administration:*"})), "registry:administration:*");
}

TEST_F(AuthorityTest, GrantsTheCatalogToAccountsThatMayPull) {
  Write("policy.yaml",
        "administrators: [admin]\nrules:\n"
        "  - {subjects: [prod], repositories: [a], actions: [push]}\n");
  Open();
  EXPECT_EQ(GrantedTo(As("prod", {"registry:catalog:*"})), "");
  EXPECT_EQ(GrantedTo(Anonymous({"registry:catalog:*"})), "");
  EXPECT_EQ(GrantedTo(As("admin", {"registry:catalog:*"})), "registry:catalog:*");
}

TEST_F(AuthorityTest, HasThePolicyInForce) {
  const RepositoryName web = RepositoryName::Parse("driftwood/web").value();
  EXPECT_TRUE(authority_->policy()->tag_rules().Immutable(web, Tag::Parse("release-1").value()).has_value());
  EXPECT_FALSE(authority_->policy()->IsAdministrator({"ci", {}}));
}

TEST_F(AuthorityTest, AcceptsOnlyItsOwnService) {
  v1::IssueTokenRequest request = As("ci");
  request.set_service("entrepot");
  EXPECT_OK(authority_->IssueToken(request));
  request.set_service("registry.example.com");
  const auto refused = authority_->IssueToken(request);
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("\"entrepot\", not \"registry.example.com\""));
}

TEST_F(AuthorityTest, RefusesMoreScopesThanFitIntoAToken) {
  std::vector<std::string> scopes;
  for (int i = 0; i < 1000; ++i) scopes.push_back(absl::StrCat("repository:driftwood/service-", i, ":pull,push"));
  EXPECT_EQ(ClaimsOf(Issue(As("ci", scopes)).token()).access.size(), 1000u);
  std::vector<std::string> long_ones;
  for (int i = 0; i < 400; ++i) {
    long_ones.push_back(absl::StrCat("repository:driftwood/", std::string(200, 'x'), i, ":pull"));
  }
  const auto refused = authority_->IssueToken(As("ci", long_ones));
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("more than 122880 (a fixed limit)"));
}

TEST_F(AuthorityTest, AllWrongCredentialsGetTheSameError) {
  std::set<std::string> answers;
  int address = 0;
  for (const auto& [account, password] : std::vector<std::pair<std::string, std::string>>{{"ci", "wrong"},
                                                                                          {"nobody", "wrong"},
                                                                                          {"", "x"},
                                                                                          {"robot+none", "x"},
                                                                                          {"robot+", "x"},
                                                                                          {"anyone", "x"},
                                                                                          {"ci", ""},
                                                                                          {"c\ni", "x"}}) {
    v1::IssueTokenRequest request = Password(account, password);
    request.set_remote_address(absl::StrCat("192.0.2.", ++address));
    const auto response = authority_->IssueToken(request);
    EXPECT_THAT(response, IsOciError(OciErrorCode::kUnauthorized)) << account;
    answers.insert(response.status().ToString());
  }
  EXPECT_EQ(answers.size(), 1u);
}

TEST_F(AuthorityTest, AnUnknownAccountTakesAHashToo) {
  const double before = Counter("entrepot_password_hash_duration_seconds");
  EXPECT_THAT(authority_->IssueToken(Password("nobody", "x")), IsOciError(OciErrorCode::kUnauthorized));
  EXPECT_EQ(Counter("entrepot_password_hash_duration_seconds"), before + 1);
  EXPECT_THAT(authority_->IssueToken(Password("ci", "x")), IsOciError(OciErrorCode::kUnauthorized));
  EXPECT_EQ(Counter("entrepot_password_hash_duration_seconds"), before + 2);
}

TEST_F(AuthorityTest, ARightPasswordIsHashedOnceAMinute) {
  Issue(As("ci"));
  Issue(As("ci"));
  EXPECT_EQ(Counter("entrepot_password_hash_duration_seconds"), 1);
  clock_.Advance(absl::Minutes(1));
  Issue(As("ci"));
  EXPECT_EQ(Counter("entrepot_password_hash_duration_seconds"), 2);
}

TEST_F(AuthorityTest, LimitsGuessingWithoutLockingOutTheOwner) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(authority_->IssueToken(Password("ci", "guess")), IsOciError(OciErrorCode::kUnauthorized));
  }
  const auto turned_away = authority_->IssueToken(Password("ci", "guess"));
  EXPECT_THAT(turned_away, IsOciError(OciErrorCode::kTooManyRequests));
  EXPECT_THAT(std::string(turned_away.status().message()), HasSubstr("try again in 3 s"));
  EXPECT_EQ(GetRetryAfter(turned_away.status()), absl::Seconds(3));
  // Not even the right one: otherwise trying would find it.
  EXPECT_THAT(authority_->IssueToken(As("ci")), IsOciError(OciErrorCode::kTooManyRequests));
  v1::IssueTokenRequest owner = As("ci");
  owner.set_remote_address("198.51.100.7");
  EXPECT_OK(authority_->IssueToken(owner));
  // Anonymous pulls still work.
  EXPECT_OK(authority_->IssueToken(Anonymous({})));
  clock_.Advance(absl::Seconds(3));
  EXPECT_OK(authority_->IssueToken(As("ci")));
  EXPECT_EQ(Counter("entrepot_ratelimited_total", "address"), 2);
  EXPECT_EQ(Counter("entrepot_auth_attempts_total", "limited"), 2);
}

TEST_F(AuthorityTest, NeighboursDoNotLockOutAnAccountThatLoggedInLately) {
  Issue(As("ci"));
  clock_.Advance(absl::Hours(23));
  for (int i = 0; i < 8; ++i) authority_->IssueToken(Password("ci", "stale")).status().IgnoreError();
  // The address is limited, for guesses of every account and for right passwords that are not known there.
  EXPECT_THAT(authority_->IssueToken(Password("ci", "guess")), IsOciError(OciErrorCode::kTooManyRequests));
  EXPECT_THAT(authority_->IssueToken(As("prod")), IsOciError(OciErrorCode::kTooManyRequests));
  EXPECT_OK(authority_->IssueToken(As("ci")));
  v1::IssueTokenRequest elsewhere = Password("prod", "guess");
  elsewhere.set_remote_address("198.51.100.7");
  for (int i = 0; i < 4; ++i) authority_->IssueToken(elsewhere).status().IgnoreError();
  elsewhere = As("ci");
  elsewhere.set_remote_address("198.51.100.7");
  EXPECT_THAT(authority_->IssueToken(elsewhere), IsOciError(OciErrorCode::kTooManyRequests));
}

TEST_F(AuthorityTest, AKnownAccountIsNoOracle) {
  Issue(As("ci"));
  const auto guess = [&](int i) { return authority_->IssueToken(Password("ci", absl::StrCat("guess", i))); };
  // 3 of the address and 30 comparisons; after them not even the right one.
  for (int i = 0; i < 3; ++i) EXPECT_THAT(guess(i), IsOciError(OciErrorCode::kUnauthorized));
  for (int i = 0; i < 30; ++i) EXPECT_THAT(guess(i), IsOciError(OciErrorCode::kTooManyRequests));
  EXPECT_THAT(authority_->IssueToken(As("ci")), IsOciError(OciErrorCode::kTooManyRequests));
}

TEST_F(AuthorityTest, AChangedPasswordIsNotKnown) {
  v1::AdministerRequest create;
  create.mutable_create_user()->set_name("dana");
  create.mutable_create_user()->set_password("dana-password");
  ASSERT_OK(Administer(create));
  Issue(As("dana"));
  v1::AdministerRequest change;
  change.mutable_set_password()->set_name("dana");
  change.mutable_set_password()->set_password("another");
  ASSERT_OK(Administer(change));
  for (int i = 0; i < 3; ++i) authority_->IssueToken(Password("ci", "stale")).status().IgnoreError();
  EXPECT_THAT(authority_->IssueToken(As("dana")), IsOciError(OciErrorCode::kTooManyRequests));
}

TEST_F(AuthorityTest, RefreshTokensStandForTheirAccount) {
  const std::string refresh = NewRefreshToken(As("ci"));
  EXPECT_TRUE(refresh.starts_with("entrepot_refresh_"));
  const v1::IssueTokenResponse response = Issue(Refresh(refresh, {"repository:driftwood/web:push"}));
  EXPECT_EQ(response.refresh_token(), refresh);
  EXPECT_EQ(response.scope(), "repository:driftwood/web:push");
  EXPECT_EQ(ClaimsOf(response.token()).subject, "ci");
  EXPECT_THAT(authority_->IssueToken(Refresh("entrepot_refresh_0")), IsOciError(OciErrorCode::kUnauthorized));
  v1::IssueTokenRequest anonymous = Anonymous({});
  anonymous.set_offline(true);
  EXPECT_EQ(Issue(anonymous).refresh_token(), "");
}

TEST_F(AuthorityTest, ANewPasswordInvalidatesRefreshTokens) {
  const std::string refresh = NewRefreshToken(As("ci")), other = NewRefreshToken(As("prod"));
  Write("accounts", absl::StrCat("ci:", BcryptHash::Make("new", 4).ToString(),
                                 "\nprod:", BcryptHash::Make("prod-password", 4).ToString(), "\n"));
  Open();
  EXPECT_THAT(authority_->IssueToken(Refresh(refresh)), IsOciError(OciErrorCode::kUnauthorized));
  // So does the same password with a new hash: it cannot be distinguished.
  EXPECT_THAT(authority_->IssueToken(Refresh(other)), IsOciError(OciErrorCode::kUnauthorized));
  Write("accounts", "");
  Open();
  EXPECT_THAT(authority_->IssueToken(Refresh(other)), IsOciError(OciErrorCode::kUnauthorized));
}

TEST_F(AuthorityTest, ARestartKeepsKeysAndRefreshTokens) {
  const v1::IssueTokenResponse before = Issue(As("ci"));
  const std::string refresh = NewRefreshToken(As("ci"));
  Open();
  EXPECT_EQ(ClaimsOf(before.token()).subject, "ci");
  EXPECT_OK(authority_->IssueToken(Refresh(refresh)));
}

class AuthorityIdentityTest : public AuthorityTest {
 protected:
  void SetUp() override {
    AuthorityTest::SetUp();
    Write("keys.json", token::KeySet({key_.verification_key()}).ToJson());
    Write("policy.yaml", absl::StrCat(kPolicy, R"(
identity_providers:
  - name: forge
    issuer: https://forge.example
    audience: registry.example
    key_set_file: )",
                                      PathOf("keys.json"),
                                      R"(
    rules:
      - {claims: {repository: "driftwood/*"}, repositories: ["driftwood/**"], actions: [pull, push]}
)"));
    Open();
  }
  std::string TokenOf(const std::string& repository, absl::Duration lifetime = absl::Hours(1)) const {
    const int64_t now = absl::ToUnixSeconds(clock_.Now());
    return token::SignClaims(key_, {{"iss", "https://forge.example"},
                                    {"sub", "job-7"},
                                    {"aud", "registry.example"},
                                    {"iat", now},
                                    {"exp", now + absl::ToInt64Seconds(lifetime)},
                                    {"repository", repository}});
  }

  const token::SigningKey key_ = token::SigningKey::Generate(token::SignatureAlgorithm::kEs256);
};

TEST_F(AuthorityIdentityTest, AProvidersTokenIsACredential) {
  const std::vector<std::string> scopes = {"repository:driftwood/web:*", "repository:other:pull"};
  v1::IssueTokenRequest request = Anonymous(scopes);
  request.set_identity_token(TokenOf("driftwood/web"));
  request.set_offline(true);
  const v1::IssueTokenResponse response = Issue(request);
  EXPECT_EQ(response.scope(), "repository:driftwood/web:pull,push");
  EXPECT_EQ(ClaimsOf(response.token()).subject, "oidc+forge:job-7");
  EXPECT_EQ(response.refresh_token(), "");
  // In the form that docker login sends.
  EXPECT_EQ(GrantedTo(Password("oidc", TokenOf("driftwood/web"), scopes)), response.scope());
  EXPECT_THAT(authority_->GetReadableRepositories("oidc+forge:job-7"),
              IsOkAndHolds(ElementsAre("driftwood/**", "public/**")));
  EXPECT_THAT(authority_->GetReadableRepositories("oidc+forge:job-8"), IsOkAndHolds(ElementsAre("public/**")));
  EXPECT_THAT(Read("audit"), Not(HasSubstr("eyJ")));
}

TEST_F(AuthorityIdentityTest, RefusesTokensThatMeetNoRule) {
  for (const std::string& token : {TokenOf("elsewhere/web"), TokenOf("driftwood/web", -absl::Hours(1)),
                                   TokenOf("driftwood/web") + "x", std::string("x"), std::string()}) {
    v1::IssueTokenRequest request = Password("oidc", token);
    request.set_remote_address(absl::StrCat("198.51.100.", token.size() % 250));
    EXPECT_THAT(authority_->IssueToken(request), IsOciError(OciErrorCode::kUnauthorized)) << token;
  }
}

TEST_F(AuthorityIdentityTest, ATokenExpiresWithTheProvidersToken) {
  EXPECT_EQ(Issue(Password("oidc", TokenOf("driftwood/web", absl::Seconds(90)))).expires_in_seconds(), 90u);
  // Clients rely on at least a minute.
  EXPECT_EQ(Issue(Password("oidc", TokenOf("driftwood/web", absl::Seconds(5)))).expires_in_seconds(), 60u);
}

TEST_F(AuthorityTest, ListsReadableRepositories) {
  EXPECT_THAT(authority_->GetReadableRepositories("prod"), IsOkAndHolds(ElementsAre("driftwood/web", "public/**")));
  EXPECT_THAT(authority_->GetReadableRepositories(""), IsOkAndHolds(ElementsAre("public/**")));
  EXPECT_THAT(authority_->GetReadableRepositories("nobody"), IsOkAndHolds(ElementsAre("public/**")));
  EXPECT_THAT(authority_->GetReadableRepositories("admin"), IsOkAndHolds(testing::Contains("**")));
}

TEST_F(AuthorityTest, AuditLinesContainEventsButNoSecrets) {
  const std::string refresh = NewRefreshToken(As("prod", {"repository:driftwood/web:pull,push"}));
  Issue(Refresh(refresh, {"repository:driftwood/web:pull"}));
  authority_->IssueToken(Password("prod", "guessed-password")).status().IgnoreError();
  const std::string text = Read("audit");
  for (const char* secret : {"prod-password", "guessed-password", refresh.c_str(), "$2b$", "eyJ"}) {
    EXPECT_THAT(text, Not(HasSubstr(secret)));
  }
  std::vector<boost::json::object> lines;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    lines.push_back(boost::json::parse(std::string(line)).as_object());
  }
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[0].at("event"), "login");
  EXPECT_EQ(lines[0].at("account"), "prod");
  EXPECT_EQ(lines[0].at("address"), "192.0.2.1");
  EXPECT_EQ(lines[0].at("method"), "password");
  EXPECT_EQ(lines[0].at("decision"), "success");
  EXPECT_EQ(lines[1].at("event"), "token");
  EXPECT_EQ(lines[1].at("requested"), "repository:driftwood/web:pull,push");
  EXPECT_EQ(lines[1].at("granted"), "repository:driftwood/web:pull");
  EXPECT_EQ(lines[1].at("decision"), "reduced");
  EXPECT_EQ(lines[2].at("method"), "refresh_token");
  EXPECT_EQ(lines[3].at("decision"), "granted");
  EXPECT_EQ(lines[4].at("decision"), "failure");
  EXPECT_EQ(lines[4].at("reason"), "the password is wrong");
}

TEST_F(AuthorityTest, Counts) {
  Issue(As("ci"));
  Issue(Anonymous({}));
  authority_->IssueToken(Password("ci", "x")).status().IgnoreError();
  EXPECT_EQ(Counter("entrepot_tokens_issued_total"), 2);
  EXPECT_EQ(Counter("entrepot_auth_attempts_total", "success"), 2);
  EXPECT_EQ(Counter("entrepot_auth_attempts_total", "failure"), 1);
  EXPECT_EQ(Counter("entrepot_auth_attempts_total", "anonymous"), 1);
}

TEST_F(AuthorityTest, NamesFilesThatCannotBeOpened) {
  const auto problem = [&] {
    const auto authority = Authority::Open(config_, {.kv = &kv_, .clock = &clock_, .registry = registry_});
    EXPECT_FALSE(authority.ok());
    return std::string(authority.status().message());
  };
  Write("accounts", "ci:plain\n");
  EXPECT_THAT(problem(), HasSubstr("accounts:1: user ci"));
  Write("accounts", "");
  Write("policy.yaml", "rules: nonsense\n");
  EXPECT_THAT(problem(), HasSubstr("policy.yaml:1: rules"));
  Write("policy.yaml", kPolicy);
  config_.set_audit_file(PathOf("none/audit"));
  EXPECT_THAT(problem(), HasSubstr("none/audit"));
}

}  // namespace
}  // namespace entrepot::auth
