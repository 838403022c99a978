#include "services/auth/tokens/refresh_tokens.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/auth/records/auth_keys.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/status/status_matchers.h"

namespace entrepot::auth {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class RefreshTokensTest : public testing::Test {
 protected:
  std::string Issue(const std::string& account) {
    const auto token = tokens_.Issue({.account = account, .client_id = "docker", .credential_sha256 = "hash"});
    EXPECT_OK(token);
    return token.value_or("");
  }
  bool IsGood(const std::string& token) {
    const auto holder = tokens_.Find(token);
    EXPECT_OK(holder);
    return holder.ok() && holder->has_value();
  }
  size_t KeysWith(const std::string& prefix) { return kv_.Scan({.prefix = prefix})->size(); }

  kv::MemoryKvEngine kv_;
  FakeClock clock_;
  RefreshTokens tokens_{&kv_, &clock_, absl::Hours(720)};
};

TEST_F(RefreshTokensTest, StandForTheirHolder) {
  const std::string token = Issue("alice");
  EXPECT_TRUE(token.starts_with("entrepot_refresh_"));
  ASSERT_OK_AND_ASSIGN(const auto holder, tokens_.Find(token));
  ASSERT_TRUE(holder.has_value());
  EXPECT_EQ(holder->account, "alice");
  EXPECT_EQ(holder->client_id, "docker");
  EXPECT_EQ(holder->credential_sha256, "hash");
  EXPECT_NE(Issue("alice"), token);
}

TEST_F(RefreshTokensTest, OtherTokensAreUnknown) {
  std::string token = Issue("alice");
  token.back() = token.back() == '0' ? '1' : '0';
  EXPECT_FALSE(IsGood(token));
  EXPECT_FALSE(IsGood(""));
  EXPECT_FALSE(IsGood("entrepot_refresh_"));
}

TEST_F(RefreshTokensTest, StoresOnlyHashes) {
  const std::string token = Issue("alice");
  ASSERT_OK_AND_ASSIGN(const auto all, kv_.Scan({}));
  for (const kv::KeyValue& entry : all) {
    EXPECT_THAT(entry.key, Not(HasSubstr(token)));
    EXPECT_THAT(entry.value, Not(HasSubstr(token)));
  }
}

TEST_F(RefreshTokensTest, Expire) {
  const std::string token = Issue("alice");
  clock_.Advance(absl::Hours(720) - absl::Seconds(1));
  EXPECT_TRUE(IsGood(token));
  clock_.Advance(absl::Seconds(1));
  EXPECT_FALSE(IsGood(token));
}

TEST_F(RefreshTokensTest, AreRevokedByAccount) {
  const std::string alice = Issue("alice"), bob = Issue("bob");
  ASSERT_OK(tokens_.RevokeAll("alice"));
  EXPECT_FALSE(IsGood(alice));
  EXPECT_TRUE(IsGood(bob));
  const std::string next = Issue("alice");
  EXPECT_TRUE(IsGood(next));
  ASSERT_OK(tokens_.RevokeAll("alice"));
  EXPECT_FALSE(IsGood(alice));
  EXPECT_FALSE(IsGood(next));
}

TEST_F(RefreshTokensTest, NewTokensRemoveExpiredOnes) {
  for (int i = 0; i < 6; ++i) Issue("alice");
  clock_.Advance(absl::Hours(720));
  const std::string token = Issue("bob");
  EXPECT_EQ(KeysWith("a/t/"), 3u);
  EXPECT_EQ(KeysWith("a/e/"), 3u);
  Issue("bob");
  EXPECT_EQ(KeysWith("a/t/"), 2u);
  EXPECT_EQ(KeysWith("a/e/"), 2u);
  EXPECT_EQ(KeysWith("a/o/"), 2u);
  EXPECT_TRUE(IsGood(token));
}

TEST_F(RefreshTokensTest, TheOldestOfAnAccountBecomeInvalidBeyondItsBound) {
  RefreshTokens bounded(&kv_, &clock_, absl::Hours(720), {.of_account_max = 3, .every = 1});
  const std::string other = Issue("bob");
  std::vector<std::string> tokens;
  for (int i = 0; i < 5; ++i) {
    const auto token = bounded.Issue({.account = "alice", .client_id = "docker", .credential_sha256 = "hash"});
    ASSERT_OK(token);
    tokens.push_back(*token);
    clock_.Advance(absl::Seconds(1));
  }
  for (int i = 0; i < 5; ++i) EXPECT_EQ(IsGood(tokens[i]), i >= 2) << i;
  EXPECT_TRUE(IsGood(other));
  for (const char* prefix : {"a/t/", "a/e/", "a/o/"}) EXPECT_EQ(KeysWith(prefix), 4u) << prefix;
}

}  // namespace
}  // namespace entrepot::auth
