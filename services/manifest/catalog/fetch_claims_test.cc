#include "services/manifest/catalog/fetch_claims.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/manifest/testing/catalog_test_fixture.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

constexpr absl::Duration kLifetime = absl::Seconds(10);

class FetchClaimsTest : public CatalogTest {
 protected:
  absl::StatusOr<bool> Claim(const std::string& holder, absl::Duration lifetime = kLifetime,
                             const std::string& upstream = "docker.io", absl::string_view content = "layer") {
    return claims_.Claim({.upstream = upstream, .digest = DigestOf(content), .holder = holder, .lifetime = lifetime});
  }
  size_t Records() { return CountWithPrefix(keys::FetchClaims()); }

  FetchClaims claims_{engine_->get(), &clock_};
};

INSTANTIATE_TEST_SUITE_P(Engines, FetchClaimsTest, kv::EachTestEngine(), kv::TestEngineName);

TEST_P(FetchClaimsTest, OneHolderHasTheClaim) {
  EXPECT_THAT(Claim("one"), IsOkAndHolds(true));
  EXPECT_THAT(Claim("two"), IsOkAndHolds(false));
  EXPECT_THAT(Claim("one"), IsOkAndHolds(true));
  // Another digest, and the digest of another upstream.
  EXPECT_THAT(Claim("two", kLifetime, "docker.io", "layer 2"), IsOkAndHolds(true));
  EXPECT_THAT(Claim("two", kLifetime, "quay.io"), IsOkAndHolds(true));
  EXPECT_EQ(Records(), 3u);
}

TEST_P(FetchClaimsTest, AnotherTakesOverWhatTheHolderDoesNotRenew) {
  ASSERT_THAT(Claim("one"), IsOkAndHolds(true));
  clock_.Advance(kLifetime - absl::Milliseconds(1));
  EXPECT_THAT(Claim("two"), IsOkAndHolds(false));
  clock_.Advance(absl::Milliseconds(1));
  EXPECT_THAT(Claim("two"), IsOkAndHolds(true));
  EXPECT_THAT(Claim("one"), IsOkAndHolds(false));
}

TEST_P(FetchClaimsTest, ARenewalKeepsOthersOff) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_THAT(Claim("one"), IsOkAndHolds(true));
    clock_.Advance(kLifetime / 2);
  }
  EXPECT_THAT(Claim("two"), IsOkAndHolds(false));
}

TEST_P(FetchClaimsTest, GivesUpAClaim) {
  ASSERT_THAT(Claim("one"), IsOkAndHolds(true));
  // Not for another one.
  EXPECT_THAT(Claim("two", absl::ZeroDuration()), IsOkAndHolds(false));
  EXPECT_THAT(Claim("two"), IsOkAndHolds(false));
  EXPECT_THAT(Claim("one", absl::ZeroDuration()), IsOkAndHolds(false));
  EXPECT_EQ(Records(), 0u);
  EXPECT_THAT(Claim("one", absl::ZeroDuration()), IsOkAndHolds(false));
  EXPECT_THAT(Claim("two"), IsOkAndHolds(true));
}

TEST_P(FetchClaimsTest, AClaimSurvivesTheProcess) {
  ASSERT_THAT(Claim("one"), IsOkAndHolds(true));
  Reopen();
  FetchClaims claims(engine_->get(), &clock_);
  FetchClaim claim{.upstream = "docker.io", .digest = DigestOf("layer"), .holder = "two", .lifetime = kLifetime};
  EXPECT_THAT(claims.Claim(claim), IsOkAndHolds(false));
  claim.holder = "one";
  EXPECT_THAT(claims.Claim(claim), IsOkAndHolds(true));
}

TEST_P(FetchClaimsTest, AClockThatIsSetBackKeepsNoClaim) {
  ASSERT_THAT(Claim("one"), IsOkAndHolds(true));
  clock_.Advance(-absl::Hours(1));
  EXPECT_THAT(Claim("two"), IsOkAndHolds(true));
}

TEST_P(FetchClaimsTest, OfManyThatAskAtOnceOneGetsTheClaim) {
  std::vector<std::thread> threads;
  std::atomic<int> granted = 0;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([this, &granted, i] {
      const absl::StatusOr<bool> got = Claim(absl::StrCat(i));
      EXPECT_OK(got);
      if (got.ok() && *got) ++granted;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(granted, 1);
}

TEST_P(FetchClaimsTest, RemovesWhatHoldersLeftBehind) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_THAT(Claim("one", kLifetime, "docker.io", absl::StrCat(i)), IsOkAndHolds(true));
  }
  clock_.Advance(absl::Minutes(2));
  ASSERT_THAT(Claim("two", kLifetime, "docker.io", "3"), IsOkAndHolds(true));
  EXPECT_EQ(Records(), 1u);
  EXPECT_THAT(Claim("one", kLifetime, "docker.io", "3"), IsOkAndHolds(false));
}

TEST_P(FetchClaimsTest, RefusesWhatIsNotAClaim) {
  EXPECT_THAT(Claim("one", FetchClaims::kLifetimeMax + absl::Milliseconds(1)),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Claim("one", -absl::Seconds(1)), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Claim(""), StatusIs(absl::StatusCode::kInvalidArgument));
  for (const std::string& upstream : {std::string(), std::string("a/b"), std::string("a\0b", 3), std::string("A")}) {
    EXPECT_THAT(Claim("one", kLifetime, upstream), StatusIs(absl::StatusCode::kInvalidArgument)) << upstream;
  }
  EXPECT_EQ(Records(), 0u);
}

}  // namespace
}  // namespace entrepot::manifest
