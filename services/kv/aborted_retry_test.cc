#include "services/kv/aborted_retry.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::kv {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

class AbortedRetryTest : public testing::Test {
 protected:
  absl::Status Run(std::vector<Attempt> attempts) {
    size_t next = 0;
    absl::Status status = RetryWhileAborted(policy_, [&] { return attempts.at(next++); });
    made_ = next;
    return status;
  }

  std::vector<absl::Duration> waits_;
  std::vector<RetryReason> reasons_;
  size_t made_ = 0;
  RetryPolicy policy_ = {
      .attempts_max = 4,
      .delay_min = absl::Milliseconds(10),
      .delay_max = absl::Milliseconds(15),
      .sleep = [this](absl::Duration wait) { waits_.push_back(wait); },
      .on_retry = [this](RetryReason reason) { reasons_.push_back(reason); },
  };
  const Attempt aborted_ = {absl::AbortedError("again"), RetryReason::kLockTimeout};
};

TEST_F(AbortedRetryTest, DoesNotRetryASuccess) {
  EXPECT_TRUE(Run({{absl::OkStatus()}}).ok());
  EXPECT_EQ(made_, 1u);
  EXPECT_THAT(waits_, SizeIs(0));
}

TEST_F(AbortedRetryTest, DoesNotRetryOtherErrors) {
  EXPECT_TRUE(absl::IsUnavailable(Run({{absl::UnavailableError("disk")}})));
  EXPECT_EQ(made_, 1u);
}

TEST_F(AbortedRetryTest, RetriesUntilSuccessAndReportsTheReasons) {
  EXPECT_TRUE(Run({aborted_, {absl::AbortedError("again"), RetryReason::kFunction}, {absl::OkStatus()}}).ok());
  EXPECT_THAT(reasons_, ElementsAre(RetryReason::kLockTimeout, RetryReason::kFunction));
}

TEST_F(AbortedRetryTest, DoesNotWaitAfterTheLastAttempt) {
  EXPECT_TRUE(absl::IsAborted(Run({aborted_, aborted_, aborted_, aborted_})));
  EXPECT_EQ(made_, 4u);
  EXPECT_THAT(waits_, SizeIs(3));
}

TEST_F(AbortedRetryTest, WaitsArePositiveAndBounded) {
  EXPECT_TRUE(absl::IsAborted(Run({aborted_, aborted_, aborted_, aborted_})));
  for (absl::Duration wait : waits_) {
    EXPECT_GT(wait, absl::ZeroDuration());
    EXPECT_LE(wait, policy_.delay_max);
  }
  EXPECT_LE(waits_[0], policy_.delay_min);
}

}  // namespace
}  // namespace entrepot::kv
