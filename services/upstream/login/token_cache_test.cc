#include "services/upstream/login/token_cache.h"

#include <atomic>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/core/time/fake_clock.h"
#include "services/status/status_matchers.h"

namespace entrepot::upstream {
namespace {

class TokenCacheTest : public testing::Test {
 protected:
  absl::StatusOr<std::string> Get(const std::string& key = "k") {
    return cache_.Get(key, [&]() -> absl::StatusOr<IssuedToken> {
      ++requests_;
      if (!failure_.ok()) return failure_;
      return IssuedToken{.text = absl::StrCat("t", requests_), .lifetime = absl::Seconds(100)};
    });
  }

  FakeClock clock_;
  TokenCache cache_{&clock_, /*keys_max=*/2};
  int requests_ = 0;
  absl::Status failure_;
};

TEST_F(TokenCacheTest, SharesTheTokenOfAKey) {
  EXPECT_THAT(Get(), IsOkAndHolds("t1"));
  EXPECT_THAT(Get(), IsOkAndHolds("t1"));
  EXPECT_THAT(Get("other"), IsOkAndHolds("t2"));
}

TEST_F(TokenCacheTest, RefreshesAtFourFifthsOfTheLifetime) {
  EXPECT_THAT(Get(), IsOkAndHolds("t1"));
  clock_.Advance(absl::Seconds(79));
  EXPECT_THAT(Get(), IsOkAndHolds("t1"));
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(Get(), IsOkAndHolds("t2"));
}

TEST_F(TokenCacheTest, UsesTheTokenToItsEndIfTheRefreshFails) {
  EXPECT_THAT(Get(), IsOkAndHolds("t1"));
  failure_ = absl::UnavailableError("down");
  clock_.Advance(absl::Seconds(90));
  EXPECT_THAT(Get(), IsOkAndHolds("t1"));
  clock_.Advance(absl::Seconds(10));
  EXPECT_THAT(Get(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(TokenCacheTest, AsksAgainAfterAFailure) {
  failure_ = absl::UnavailableError("down");
  EXPECT_THAT(Get(), StatusIs(absl::StatusCode::kUnavailable));
  failure_ = absl::OkStatus();
  EXPECT_THAT(Get(), IsOkAndHolds("t2"));
}

TEST_F(TokenCacheTest, DropsOnlyTheTokenThatWasRefused) {
  EXPECT_THAT(Get(), IsOkAndHolds("t1"));
  cache_.Drop("k", "t0");
  EXPECT_THAT(Get(), IsOkAndHolds("t1"));
  cache_.Drop("k", "t1");
  EXPECT_THAT(Get(), IsOkAndHolds("t2"));
}

TEST_F(TokenCacheTest, ForgetsTheKeyThatWasUsedLeastRecently) {
  EXPECT_THAT(Get("a"), IsOkAndHolds("t1"));
  EXPECT_THAT(Get("b"), IsOkAndHolds("t2"));
  EXPECT_THAT(Get("c"), IsOkAndHolds("t3"));
  EXPECT_THAT(Get("b"), IsOkAndHolds("t2"));
  EXPECT_THAT(Get("a"), IsOkAndHolds("t4"));
}

// Runs one slow request and `callers` callers beside it, and returns their results.
std::vector<absl::StatusOr<std::string>> Herd(TokenCache& cache, size_t callers,
                                              const absl::StatusOr<IssuedToken>& answer, std::atomic<int>& requests) {
  absl::Notification requested;
  absl::Notification answered;
  const auto request = [&] {
    if (requests.fetch_add(1) == 0) {
      requested.Notify();
      answered.WaitForNotification();
    }
    return answer;
  };
  std::vector<absl::StatusOr<std::string>> results(callers + 1, absl::UnknownError(""));
  std::vector<std::thread> threads;
  threads.emplace_back([&] { results[0] = cache.Get("k", request); });
  EXPECT_TRUE(Eventually([&] { return requested.HasBeenNotified(); }));
  std::atomic<size_t> started = 0;
  for (size_t i = 1; i <= callers; ++i) {
    threads.emplace_back([&, i] {
      ++started;
      results[i] = cache.Get("k", request);
    });
  }
  EXPECT_TRUE(Eventually([&] { return started == callers; }));
  answered.Notify();
  for (std::thread& thread : threads) thread.join();
  return results;
}

TEST_F(TokenCacheTest, MakesOneRequestForAHerd) {
  std::atomic<int> requests = 0;
  const IssuedToken token{.text = "t", .lifetime = absl::Seconds(100)};
  for (const auto& result : Herd(cache_, 16, token, requests)) EXPECT_THAT(result, IsOkAndHolds("t"));
  EXPECT_EQ(requests, 1);
}

TEST_F(TokenCacheTest, OthersUseTheLivingTokenDuringARefresh) {
  EXPECT_THAT(Get(), IsOkAndHolds("t1"));
  clock_.Advance(absl::Seconds(85));
  EXPECT_THAT(cache_.Get("k",
                         [&]() -> absl::StatusOr<IssuedToken> {
                           EXPECT_THAT(Get(), IsOkAndHolds("t1"));
                           return IssuedToken{.text = "fresh", .lifetime = absl::Seconds(100)};
                         }),
              IsOkAndHolds("fresh"));
  EXPECT_EQ(requests_, 1);
}

}  // namespace
}  // namespace entrepot::upstream
