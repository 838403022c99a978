#include "gateway/api/auth/token_cache.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace entrepot::gateway::api {
namespace {

std::shared_ptr<const AccessToken> Token(const std::string& account) {
  token::RegistryClaims claims;
  claims.subject = account;
  return std::make_shared<const AccessToken>(claims, 1);
}

// Not on the stack: GCC's address sanitizer aligns its stand-ins for stack frames to 32 bytes only.
std::unique_ptr<TokenCache> MakeCache(size_t bytes_max) { return std::make_unique<TokenCache>(bytes_max); }

std::string Text(int number) { return absl::StrCat(std::string(100, 'x'), number); }

TEST(TokenCacheTest, FindsInsertedTokens) {
  const std::unique_ptr<TokenCache> owned = MakeCache(1 << 20);
  TokenCache& cache = *owned;
  EXPECT_EQ(cache.Find("a"), nullptr);
  EXPECT_EQ(cache.Find(""), nullptr);
  cache.Insert("a", Token("ann"));
  cache.Insert("b", Token("bob"));
  EXPECT_EQ(cache.Find("a")->caller().account, "ann");
  EXPECT_EQ(cache.Find("b")->caller().account, "bob");
  cache.Insert("a", Token("carol"));
  EXPECT_EQ(cache.Find("a")->caller().account, "carol");
}

TEST(TokenCacheTest, StaysWithinItsBoundAndKeepsTokensInUse) {
  const std::unique_ptr<TokenCache> owned = MakeCache(64 << 10);
  TokenCache& cache = *owned;
  cache.Insert("in use", Token("ann"));
  int found = 0;
  for (int i = 0; i < 10'000; ++i) {
    cache.Insert(Text(i), Token("bob"));
    ASSERT_NE(cache.Find("in use"), nullptr) << i;
  }
  for (int i = 0; i < 10'000; ++i) found += cache.Find(Text(i)) != nullptr ? 1 : 0;
  EXPECT_GT(found, 0);
  EXPECT_LE(found, (64 << 10) / 100);
}

TEST(TokenCacheTest, DoesNotCacheATokenThatIsTooLarge) {
  const std::unique_ptr<TokenCache> owned = MakeCache(3200);
  TokenCache& cache = *owned;
  cache.Insert(std::string(101, 'x'), Token("ann"));
  EXPECT_EQ(cache.Find(std::string(101, 'x')), nullptr);
  cache.Insert(std::string(100, 'x'), Token("ann"));
  EXPECT_NE(cache.Find(std::string(100, 'x')), nullptr);
}

TEST(TokenCacheTest, IsSafeFromManyThreads) {
  const std::unique_ptr<TokenCache> owned = MakeCache(64 << 10);
  TokenCache& cache = *owned;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        const std::string account = absl::StrCat(i % 700);
        cache.Insert(Text(i % 700), Token(account));
        const auto token = cache.Find(Text(i % 700));
        if (token != nullptr) {
          EXPECT_EQ(token->caller().account, account);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace entrepot::gateway::api
