#include "services/upstream/fetch/claim_keeper.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"
#include "services/core/time/eventually.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"
#include "services/upstream/testing/fake_cache_store.h"

namespace entrepot::upstream {
namespace {

class ClaimKeeperTest : public testing::Test {
 protected:
  static ClaimKeeper::Options OptionsOf(const std::string& holder, absl::Duration renewal_interval = absl::Hours(1)) {
    return {.holder = holder, .lifetime = absl::Seconds(10), .renewal_interval = renewal_interval};
  }
  std::string Holder() const { return store_.ClaimHolder("docker.io", digest_); }

  const Digest digest_ = ComputeDigest(DigestAlgorithm::kSha256, "layer");
  FakeCacheStore store_;
};

TEST_F(ClaimKeeperTest, OneProcessHasAClaim) {
  ClaimKeeper one(&store_, OptionsOf("one"));
  ClaimKeeper two(&store_, OptionsOf("two"));
  ASSERT_OK_AND_ASSIGN(auto claim, one.Take("docker.io", digest_));
  ASSERT_NE(claim, nullptr);
  EXPECT_EQ(Holder(), "one");
  EXPECT_EQ(two.Take("docker.io", digest_).value(), nullptr);
  EXPECT_NE(two.Take("quay.io", digest_).value(), nullptr);
  claim.reset();
  EXPECT_EQ(Holder(), "");
  EXPECT_NE(two.Take("docker.io", digest_).value(), nullptr);
}

TEST_F(ClaimKeeperTest, FetchesOfOneProcessShareAClaim) {
  ClaimKeeper keeper(&store_, OptionsOf("one"));
  ASSERT_OK_AND_ASSIGN(auto first, keeper.Take("docker.io", digest_));
  ASSERT_OK_AND_ASSIGN(auto second, keeper.Take("docker.io", digest_));
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(store_.claim_calls("one"), 1);
  first.reset();
  EXPECT_EQ(Holder(), "one");
  second.reset();
  EXPECT_EQ(Holder(), "");
  EXPECT_EQ(store_.claim_calls("one"), 2);
}

TEST_F(ClaimKeeperTest, RenewsItsClaims) {
  ClaimKeeper keeper(&store_, OptionsOf("one", absl::Milliseconds(1)));
  ASSERT_OK_AND_ASSIGN(auto claim, keeper.Take("docker.io", digest_));
  EXPECT_TRUE(Eventually([&] { return store_.claim_calls("one") >= 5; }));
  // Also after a claim was lost.
  store_.EndClaims();
  EXPECT_TRUE(Eventually([&] { return Holder() == "one"; }));
  claim.reset();
  const int calls = store_.claim_calls("one");
  ASSERT_OK_AND_ASSIGN(claim, keeper.Take("quay.io", digest_));
  EXPECT_TRUE(Eventually([&] { return store_.claim_calls("one") >= calls + 3; }));
  EXPECT_EQ(Holder(), "");
}

TEST_F(ClaimKeeperTest, GoesOnIfTheStoreFails) {
  ClaimKeeper keeper(&store_, OptionsOf("one", absl::Milliseconds(1)));
  ASSERT_OK_AND_ASSIGN(auto claim, keeper.Take("docker.io", digest_));
  store_.FailAll(OciError(OciErrorCode::kUnavailable, "the manifest service does not respond"));
  EXPECT_THAT(keeper.Take("quay.io", digest_), IsOciError(OciErrorCode::kUnavailable));
  store_.EndClaims();
  store_.FailAll(absl::OkStatus());
  EXPECT_TRUE(Eventually([&] { return Holder() == "one"; }));
}

TEST_F(ClaimKeeperTest, ManyThreadsTakeAndGiveUp) {
  ClaimKeeper keeper(&store_, OptionsOf("one", absl::Milliseconds(1)));
  ClaimKeeper other(&store_, OptionsOf("two", absl::Milliseconds(1)));
  std::atomic<int> owners_of_one = 0;
  std::atomic<int> owners_of_two = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const bool is_one = i % 2 == 0;
      for (int turn = 0; turn < 200; ++turn) {
        const auto claim = (is_one ? keeper : other).Take("docker.io", digest_);
        ASSERT_OK(claim.status());
        if (*claim == nullptr) continue;
        ++(is_one ? owners_of_one : owners_of_two);
        EXPECT_EQ(is_one ? owners_of_two : owners_of_one, 0);
        --(is_one ? owners_of_one : owners_of_two);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Holder(), "");
}

}  // namespace
}  // namespace entrepot::upstream
