#include "gateway/backends/testing/auth_backend_conformance.h"

#include <string>
#include <vector>

#include "gateway/backends/testing/run_awaitable.h"
#include "services/core/time/fake_clock.h"
#include "services/status/status_matchers.h"
#include "services/token/key_set.h"
#include "services/token/registry_token.h"

namespace entrepot::gateway {
namespace {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(AuthBackendConformanceTest);

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

#define RUN(awaitable) RunAwaitable(context_, awaitable)

CallContext Call(const std::string& account = "") {
  CallContext call{"conformance"};
  call.caller.account = account;
  return call;
}

auth::v1::IssueTokenRequest Ask(const std::string& account, const std::string& password) {
  auth::v1::IssueTokenRequest request;
  request.add_scopes("repository:driftwood/web:pull,push,delete");
  request.set_remote_address("192.0.2.1");
  request.mutable_password()->set_account(account);
  request.mutable_password()->set_password(password);
  return request;
}

auth::v1::AdministerRequest CommandOf(const std::string& account) {
  auth::v1::AdministerRequest request;
  request.mutable_caller()->set_account(account);
  request.mutable_caller()->mutable_token_issued_at()->set_seconds(absl::ToUnixSeconds(FakeClock().Now()));
  return request;
}

TEST_P(AuthBackendConformanceTest, IssuesTokensThatItsKeysVerify) {
  ASSERT_OK_AND_ASSIGN(const auto issued, RUN(backend().IssueToken(Call(), Ask("ci", "battery-staple"))));
  EXPECT_EQ(issued.scope(), "repository:driftwood/web:pull,push");
  EXPECT_GE(issued.expires_in_seconds(), 60u);
  ASSERT_OK_AND_ASSIGN(const auto verification, RUN(backend().GetVerification(Call())));
  ASSERT_OK_AND_ASSIGN(const token::KeySet keys, token::KeySet::Parse(verification.key_set_json()));
  ASSERT_OK_AND_ASSIGN(const token::RegistryClaims claims,
                       token::VerifyRegistryToken(issued.token(), keys, {verification.issuer(), verification.service()},
                                                  FakeClock().Now()));
  EXPECT_EQ(claims.subject, "ci");
  EXPECT_EQ(JoinAccessScopes(claims.access), issued.scope());
}

TEST_P(AuthBackendConformanceTest, RefusesEveryWrongCredentialWithTheSameError) {
  const auto wrong = RUN(backend().IssueToken(Call(), Ask("ci", "guess")));
  const auto unknown = RUN(backend().IssueToken(Call(), Ask("unknown", "guess")));
  EXPECT_THAT(wrong, IsOciError(OciErrorCode::kUnauthorized));
  EXPECT_EQ(wrong.status(), unknown.status());
}

TEST_P(AuthBackendConformanceTest, ListsTheRepositoriesThatAnAccountMayRead) {
  EXPECT_THAT(RUN(backend().GetReadableRepositories(Call())), IsOkAndHolds(ElementsAre("public/**")));
  EXPECT_THAT(RUN(backend().GetReadableRepositories(Call("ci"))),
              IsOkAndHolds(UnorderedElementsAre("driftwood/**", "public/**")));
}

TEST_P(AuthBackendConformanceTest, AcceptsCommandsOfAdministratorsOnly) {
  auth::v1::AdministerRequest create = CommandOf("admin");
  create.mutable_create_user()->set_name("new-user");
  create.mutable_create_user()->set_password("a-long-enough-password");
  EXPECT_OK(RUN(backend().Administer(Call("admin"), create)).status());
  EXPECT_THAT(RUN(backend().Administer(Call("admin"), create)).status(), StatusIs(absl::StatusCode::kAlreadyExists));
  auth::v1::AdministerRequest list = CommandOf("admin");
  list.mutable_list_users();
  ASSERT_OK_AND_ASSIGN(const auto listed, RUN(backend().Administer(Call("admin"), list)));
  EXPECT_EQ(listed.users().users_size(), 3);
  list = CommandOf("ci");
  list.mutable_list_users();
  EXPECT_THAT(RUN(backend().Administer(Call("ci"), list)).status(), StatusIs(absl::StatusCode::kPermissionDenied));
}

}  // namespace
}  // namespace entrepot::gateway
