#include "services/auth/credentials/verified_credentials.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/core/time/fake_clock.h"
#include "services/status/status_matchers.h"

namespace entrepot::auth {
namespace {

class VerifiedCredentialsTest : public testing::Test {
 protected:
  // Whether the credential had to be verified.
  bool Verifies(const std::string& account, const std::string& password, const std::string& hash, bool right = true) {
    bool asked = false;
    EXPECT_THAT(credentials_.Check(account, password, hash,
                                   [&] {
                                     asked = true;
                                     return right;
                                   }),
                IsOkAndHolds(right));
    return asked;
  }

  FakeClock clock_;
  VerifiedCredentials credentials_{&clock_, absl::Minutes(1), 3};
};

TEST_F(VerifiedCredentialsTest, CachesRightCredentials) {
  EXPECT_TRUE(Verifies("alice", "secret", "hash"));
  EXPECT_FALSE(Verifies("alice", "secret", "hash"));
  clock_.Advance(absl::Seconds(59));
  EXPECT_FALSE(Verifies("alice", "secret", "hash"));
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(Verifies("alice", "secret", "hash"));
}

TEST_F(VerifiedCredentialsTest, EachPartOfACredentialMatters) {
  EXPECT_TRUE(Verifies("alice", "secret", "hash"));
  EXPECT_TRUE(Verifies("alice", "secret", "other"));
  EXPECT_TRUE(Verifies("alices", "ecret", "hash"));
  EXPECT_TRUE(Verifies("alice", "secrethash", ""));
}

TEST_F(VerifiedCredentialsTest, DoesNotCacheWrongCredentialsOrErrors) {
  EXPECT_TRUE(Verifies("alice", "guess", "hash", false));
  EXPECT_TRUE(Verifies("alice", "guess", "hash", false));
  EXPECT_THAT(credentials_.Check("alice", "secret", "hash", [] { return absl::UnavailableError("busy"); }),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(Verifies("alice", "secret", "hash"));
}

TEST_F(VerifiedCredentialsTest, KnowsRightCredentialsForADay) {
  EXPECT_FALSE(credentials_.Knows("alice", "secret", "hash"));
  EXPECT_TRUE(Verifies("alice", "secret", "hash"));
  EXPECT_TRUE(Verifies("alice", "guess", "hash", false));
  clock_.Advance(absl::Hours(24) - absl::Seconds(1));
  EXPECT_TRUE(credentials_.Knows("alice", "secret", "hash"));
  EXPECT_FALSE(credentials_.Knows("alice", "guess", "hash"));
  EXPECT_FALSE(credentials_.Knows("alice", "secret", "new hash"));
  EXPECT_FALSE(credentials_.Knows("bob", "secret", "hash"));
  clock_.Advance(absl::Seconds(1));
  EXPECT_FALSE(credentials_.Knows("alice", "secret", "hash"));
}

TEST_F(VerifiedCredentialsTest, IsBounded) {
  for (const char* account : {"a", "b", "c", "d"}) EXPECT_TRUE(Verifies(account, "x", "hash"));
  EXPECT_FALSE(Verifies("d", "x", "hash"));
  EXPECT_TRUE(Verifies("a", "x", "hash"));
}

TEST_F(VerifiedCredentialsTest, AClockSetBackDoesNotExtendTheLifetime) {
  EXPECT_TRUE(Verifies("alice", "secret", "hash"));
  clock_.Advance(-absl::Hours(24));
  EXPECT_TRUE(Verifies("alice", "secret", "hash"));
}

TEST_F(VerifiedCredentialsTest, TheSameCredentialIsVerifiedOnceAtATime) {
  std::atomic<int> verified{0}, started{0};
  std::atomic<bool> go{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      ++started;
      EXPECT_THAT(credentials_.Check("alice", "secret", "hash",
                                     [&] {
                                       ++verified;
                                       EXPECT_TRUE(Eventually([&] { return go.load(); }));
                                       return true;
                                     }),
                  IsOkAndHolds(true));
    });
  }
  EXPECT_TRUE(Eventually([&] { return started >= 8 && verified >= 1; }));
  go = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(verified, 1);
}

}  // namespace
}  // namespace entrepot::auth
