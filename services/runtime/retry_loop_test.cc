#include "services/runtime/retry_loop.h"

#include <memory>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::runtime {
namespace {

class RetryLoopTest : public testing::Test {
 protected:
  // Fails with `failures` in turn, then succeeds.
  absl::Status Run(Idempotency idempotency, std::vector<absl::Status> failures) {
    return RetryLoop(
        policy_, idempotency, [this](absl::Duration wait) { sleeps_.push_back(wait); }, random_,
        [&] {
          const size_t attempt = static_cast<size_t>(attempts_++);
          return attempt < failures.size() ? failures[attempt] : absl::OkStatus();
        });
  }

  RetryPolicy policy_{.attempts_max = 4, .backoff_min = absl::Seconds(1), .backoff_max = absl::Seconds(2)};
  std::mt19937_64 random_{1};
  std::vector<absl::Duration> sleeps_;
  int attempts_ = 0;
};

TEST_F(RetryLoopTest, SuccessNeedsOneAttempt) {
  EXPECT_OK(Run(Idempotency::kIdempotent, {}));
  EXPECT_EQ(attempts_, 1);
  EXPECT_THAT(sleeps_, testing::IsEmpty());
}

TEST_F(RetryLoopTest, AbortedIsAlwaysTriedAgain) {
  EXPECT_OK(Run(Idempotency::kNotIdempotent, {absl::AbortedError("1"), absl::AbortedError("2")}));
  EXPECT_EQ(attempts_, 3);
}

TEST_F(RetryLoopTest, SleepsBetweenAttemptsForLongerEachTime) {
  EXPECT_OK(Run(Idempotency::kNotIdempotent, std::vector(3, absl::AbortedError(""))));
  ASSERT_EQ(sleeps_.size(), 3u);
  const std::vector<absl::Duration> bounds = {absl::Seconds(1), absl::Seconds(2), absl::Seconds(2)};
  for (size_t i = 0; i < bounds.size(); ++i) {
    EXPECT_GE(sleeps_[i], bounds[i] / 2);
    EXPECT_LE(sleeps_[i], bounds[i]);
  }
}

TEST_F(RetryLoopTest, UnavailableIsTriedAgainWhereTheCallIsIdempotent) {
  EXPECT_OK(Run(Idempotency::kIdempotent, {absl::UnavailableError("")}));
  EXPECT_EQ(attempts_, 2);
}

TEST_F(RetryLoopTest, UnavailableIsFinalWhereItIsNot) {
  EXPECT_THAT(Run(Idempotency::kNotIdempotent, {absl::UnavailableError("")}), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(attempts_, 1);
  EXPECT_THAT(sleeps_, testing::IsEmpty());
}

TEST_F(RetryLoopTest, GivesUpWithTheLastResultAndWithoutAnotherSleep) {
  EXPECT_EQ(Run(Idempotency::kIdempotent, {absl::AbortedError("1"), absl::AbortedError("2"), absl::AbortedError("3"),
                                           absl::AbortedError("4"), absl::AbortedError("5")})
                .message(),
            "4");
  EXPECT_EQ(sleeps_.size(), 3u);
}

TEST_F(RetryLoopTest, OneAttemptIsAllowed) {
  policy_.attempts_max = 1;
  EXPECT_THAT(Run(Idempotency::kIdempotent, {absl::AbortedError("")}), StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(attempts_, 1);
}

TEST_F(RetryLoopTest, ReturnsAValueThatOnlyMoves) {
  int attempts = 0;
  auto result = RetryLoop(
      policy_, Idempotency::kIdempotent, [](absl::Duration) {}, random_,
      [&]() -> absl::StatusOr<std::unique_ptr<int>> {
        if (++attempts == 1) return absl::AbortedError("");
        return std::make_unique<int>(7);
      });
  ASSERT_OK(result);
  EXPECT_EQ(**result, 7);
}

TEST(IsRetryableTest, NothingElseIs) {
  for (int code = 0; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "");
    const bool open = code == static_cast<int>(absl::StatusCode::kUnavailable);
    const bool nothing_happened = code == static_cast<int>(absl::StatusCode::kAborted);
    EXPECT_EQ(IsRetryable(status, Idempotency::kIdempotent), open || nothing_happened) << status;
    EXPECT_EQ(IsRetryable(status, Idempotency::kNotIdempotent), nothing_happened) << status;
  }
}

}  // namespace
}  // namespace entrepot::runtime
