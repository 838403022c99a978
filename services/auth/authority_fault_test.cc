#include <string>

#include "services/auth/authority_test_fixture.h"
#include "services/kv/fault_injecting_kv_engine.h"
#include "services/status/oci_error.h"

namespace entrepot::auth {
namespace {

using kv::Fault;

// An authority whose KV fails when a test wants it to.
class AuthorityFaultTest : public AuthorityTest {
 protected:
  void SetUp() override {
    AuthorityTest::SetUp();
    Reopen();
  }
  void Reopen() {
    authority_.reset();
    ASSERT_OK_AND_ASSIGN(authority_,
                         Authority::Open(config_, {.kv = &faulty_, .clock = &clock_, .registry = registry_}));
  }
  absl::Status Create(const std::string& user) {
    v1::AdministerRequest request;
    request.mutable_create_user()->set_name(user);
    request.mutable_create_user()->set_password(user + "-password");
    return Administer(request).status();
  }
  absl::Status SetPassword(const std::string& user, const std::string& password) {
    v1::AdministerRequest request;
    request.mutable_set_password()->set_name(user);
    request.mutable_set_password()->set_password(password);
    return Administer(request).status();
  }

  kv::FaultInjectingKvEngine faulty_{&kv_};
};

TEST_F(AuthorityFaultTest, ARightCredentialIsNotRejectedWhileTheKvFails) {
  ASSERT_OK(Create("alice"));
  faulty_.InjectAt(1, Fault::kCrashBeforeCommit);
  EXPECT_THAT(Create("bob"), StatusIs(absl::StatusCode::kUnavailable));
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(authority_->IssueToken(As("alice")), StatusIs(absl::StatusCode::kUnavailable));
  }
  EXPECT_EQ(Counter("entrepot_auth_attempts_total", "failure"), 0);
  EXPECT_EQ(Counter("entrepot_auth_attempts_total", "error"), 5);
  faulty_.Restart();
  // The failure did not count as a wrong credential.
  EXPECT_OK(authority_->IssueToken(As("alice")));
  EXPECT_THAT(authority_->IssueToken(As("bob")), IsOciError(OciErrorCode::kUnauthorized));
}

TEST_F(AuthorityFaultTest, AFailedWriteOfTheLastUseDoesNotFailTheLogin) {
  faulty_.InjectAt(1, Fault::kFailCommit);
  EXPECT_OK(authority_->IssueToken(As("ci")));
}

TEST_F(AuthorityFaultTest, AcknowledgedChangesSurviveAPowerCut) {
  ASSERT_OK(Create("alice"));
  const std::string refresh = NewRefreshToken(As("alice"));
  ASSERT_OK(SetPassword("alice", "another"));
  const std::string again = NewRefreshToken(Password("alice", "another"));
  faulty_.LosePower();
  Reopen();
  EXPECT_OK(authority_->IssueToken(Password("alice", "another")));
  EXPECT_THAT(authority_->IssueToken(Refresh(refresh)), IsOciError(OciErrorCode::kUnauthorized));
  EXPECT_OK(authority_->IssueToken(Refresh(again)));
}

TEST_F(AuthorityFaultTest, DoesNotReturnARefreshTokenThatIsNotStored) {
  Issue(As("ci"));  // Its last use is written.
  v1::IssueTokenRequest request = As("ci");
  request.set_offline(true);
  faulty_.InjectAt(1, Fault::kFailCommit);
  EXPECT_THAT(authority_->IssueToken(request), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_OK(authority_->IssueToken(request));
}

TEST_F(AuthorityFaultTest, ALostReplyLeavesTheCreatedAccount) {
  faulty_.InjectAt(1, Fault::kLoseReply);
  EXPECT_THAT(Create("alice"), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Create("alice"), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_OK(authority_->IssueToken(As("alice")));
}

}  // namespace
}  // namespace entrepot::auth
