#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "services/auth/authority_test_fixture.h"
#include "services/status/oci_error.h"

namespace entrepot::auth {
namespace {

class AuthorityRaceTest : public AuthorityTest {
 protected:
  void SetUp() override {
    AuthorityTest::SetUp();
    config_.set_failed_attempts_max(1'000'000);
    Open();
  }
  v1::AdministerResponse Do(const std::function<void(v1::AdministerRequest*)>& fill) {
    v1::AdministerRequest request;
    fill(&request);
    const auto response = Administer(request);
    EXPECT_OK(response);
    return response.value_or(v1::AdministerResponse());
  }
  // Runs all functions concurrently, each as often as given.
  static void RunAtOnce(int times, const std::vector<std::function<void()>>& jobs) {
    std::vector<std::thread> threads;
    for (const auto& job : jobs) {
      threads.emplace_back([&job, times] {
        for (int i = 0; i < times; ++i) job();
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
};

TEST_F(AuthorityRaceTest, TokensStayValidWhileKeysRotate) {
  std::atomic<int> rotations{0};
  const auto issue_and_verify = [&] {
    EXPECT_EQ(ClaimsOf(Issue(As("ci", {"repository:driftwood/web:push"})).token()).subject, "ci");
  };
  RunAtOnce(50, {issue_and_verify, issue_and_verify, issue_and_verify, [&] {
                   if (++rotations <= 10) Do([](auto* request) { request->mutable_rotate_keys(); });
                 }});
}

TEST_F(AuthorityRaceTest, OneOfManyCreationsWins) {
  std::atomic<int> won{0}, lost{0};
  const auto create = [&] {
    v1::AdministerRequest request;
    request.mutable_create_robot()->set_name("one");
    const auto response = Administer(request);
    if (response.ok()) {
      ++won;
      EXPECT_OK(authority_->IssueToken(Password("robot+one", response->robot_secret().secret())));
    } else {
      EXPECT_THAT(response, StatusIs(absl::StatusCode::kAlreadyExists));
      ++lost;
    }
  };
  RunAtOnce(1, {create, create, create, create});
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, 3);
}

// An account is added to a group while it is deleted and created again. The new account may be in the group only if it
// was added after its creation, never because the old one was.
TEST_F(AuthorityRaceTest, NoMembershipOutlivesItsAccount) {
  const auto user = [&](const auto& fill) {
    v1::AdministerRequest request;
    fill(&request);
    return Administer(request).status();
  };
  const auto add = [&] {
    const absl::Status added = user([](auto* request) {
      request->mutable_add_to_group()->set_group("cleaners");
      request->mutable_add_to_group()->set_account("olga");
    });
    EXPECT_TRUE(added.ok() || absl::IsNotFound(added)) << added;
  };
  const auto come_and_go = [&] {
    EXPECT_OK(user([](auto* request) {
      request->mutable_create_user()->set_name("olga");
      request->mutable_create_user()->set_password("olga-password");
    }));
    EXPECT_OK(user([](auto* request) { request->mutable_delete_user()->set_name("olga"); }));
  };
  RunAtOnce(10, {add, add, come_and_go});
  const auto groups = Do([](auto* request) { request->mutable_list_groups(); }).groups();
  for (const auto& group : groups.groups()) {
    for (const std::string& member : group.members()) EXPECT_NE(member, "olga") << group.name();
  }
}

TEST_F(AuthorityRaceTest, RefreshTokensAreRevokedCompletelyOrNotAtAll) {
  const auto issue = [&] {
    const std::string token = NewRefreshToken(As("ci"));
    const auto used = authority_->IssueToken(Refresh(token));
    EXPECT_TRUE(used.ok() || GetOciErrorCode(used.status()) == OciErrorCode::kUnauthorized) << used.status();
  };
  RunAtOnce(30, {issue, issue,
                 [&] { Do([](auto* request) { request->mutable_revoke_refresh_tokens()->set_account("ci"); }); }});
  const std::string before = NewRefreshToken(As("ci"));
  EXPECT_OK(authority_->IssueToken(Refresh(before)));
  Do([](auto* request) { request->mutable_revoke_refresh_tokens()->set_account("ci"); });
  EXPECT_THAT(authority_->IssueToken(Refresh(before)), IsOciError(OciErrorCode::kUnauthorized));
}

TEST_F(AuthorityRaceTest, ConcurrentLoginsShareOneHash) {
  const auto log_in = [&] { EXPECT_OK(authority_->IssueToken(As("ci"))); };
  RunAtOnce(10, std::vector<std::function<void()>>(24, log_in));
  EXPECT_EQ(Counter("entrepot_password_hash_duration_seconds"), 1);
  EXPECT_EQ(Counter("entrepot_ratelimited_total"), 0);
}

}  // namespace
}  // namespace entrepot::auth
