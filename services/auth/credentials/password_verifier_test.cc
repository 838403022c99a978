#include "services/auth/credentials/password_verifier.h"

#include <algorithm>
#include <ctime>
#include <memory>
#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/core/time/fake_clock.h"
#include "services/status/status_matchers.h"

namespace entrepot::auth {
namespace {

class PasswordVerifierTest : public testing::Test {
 protected:
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  FakeClock clock_;
  AuthMetrics metrics_{registry_};
  PasswordVerifier verifier_{&clock_, 2, &metrics_};
  const BcryptHash hash_ = BcryptHash::Make("secret", 4);
};

TEST_F(PasswordVerifierTest, AcceptsOnlyTheAccountsPassword) {
  EXPECT_THAT(verifier_.Verify("alice", "secret", hash_, 4), IsOkAndHolds(true));
  EXPECT_THAT(verifier_.Verify("alice", "secret", hash_, 4), IsOkAndHolds(true));
  EXPECT_THAT(verifier_.Verify("alice", "Secret", hash_, 4), IsOkAndHolds(false));
  EXPECT_THAT(verifier_.Verify("alice", "secret", BcryptHash::Make("other", 4), 4), IsOkAndHolds(false));
  EXPECT_THAT(verifier_.Verify("nobody", "secret", std::nullopt, 4), IsOkAndHolds(false));
  EXPECT_THAT(verifier_.Verify("nobody", "", std::nullopt, 4), IsOkAndHolds(false));
}

// A wrong password takes as long as the hash with the highest cost, whether the account exists or not. 2^9 units take
// 32 times as long as 2^4; the bounds leave room for a busy machine.
TEST_F(PasswordVerifierTest, WrongPasswordsTakeTheSameTime) {
  const auto time = [&](const std::optional<BcryptHash>& hash) {
    absl::Duration best = absl::InfiniteDuration();
    for (int i = 0; i < 5; ++i) {
      timespec before, after;
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
      EXPECT_THAT(verifier_.Verify("alice", "wrong", hash, 9), IsOkAndHolds(false));
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
      best = std::min(best, absl::DurationFromTimespec(after) - absl::DurationFromTimespec(before));
    }
    return best;
  };
  const absl::Duration cheap = time(hash_), costly = time(BcryptHash::Make("secret", 9)), unknown = time(std::nullopt);
  EXPECT_LT(cheap, 2 * unknown);
  EXPECT_LT(unknown, 2 * cheap);
  EXPECT_LT(costly, 2 * unknown);
  EXPECT_LT(unknown, 2 * costly);
}

TEST_F(PasswordVerifierTest, HashesNewPasswords) {
  ASSERT_OK_AND_ASSIGN(const BcryptHash hash, verifier_.Hash("new password"));
  EXPECT_TRUE(hash.Matches("new password"));
  EXPECT_EQ(hash.cost(), kNewHashCost);
}

TEST_F(PasswordVerifierTest, RefusesInvalidNewPasswords) {
  EXPECT_OK(CheckNewPassword(std::string(72, 'x')));
  EXPECT_OK(CheckNewPassword("p\xc3\xa4ssword with blanks"));
  for (const std::string& password :
       {std::string(), std::string(73, 'x'), std::string("a\n"), std::string("a\0b", 3)}) {
    EXPECT_THAT(verifier_.Hash(password), StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

}  // namespace
}  // namespace entrepot::auth
