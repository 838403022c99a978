#include "services/upstream/registry/upstream_error.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/oci_error.h"
#include "services/status/retry_after.h"
#include "services/status/status_matchers.h"

namespace entrepot::upstream {
namespace {

constexpr UpstreamFailure kAll[] = {UpstreamFailure::kNotFound, UpstreamFailure::kDenied, UpstreamFailure::kRateLimited,
                                    UpstreamFailure::kUnavailable, UpstreamFailure::kInvalid};

TEST(UpstreamErrorTest, CarriesItsFailure) {
  for (const UpstreamFailure failure : kAll) {
    EXPECT_EQ(FailureOf(UpstreamError(failure, "docker.io: no")), failure) << ToString(failure);
  }
}

TEST(UpstreamErrorTest, OtherStatusesCarryNoFailure) {
  EXPECT_EQ(FailureOf(absl::OkStatus()), std::nullopt);
  EXPECT_EQ(FailureOf(OciError(OciErrorCode::kUnavailable, "the disk is full")), std::nullopt);
  EXPECT_EQ(UpstreamRetryAfter(OciError(OciErrorCode::kUnavailable, "the disk is full")), std::nullopt);
}

TEST(UpstreamErrorTest, IsNeverAnErrorOfThisRegistry) {
  for (const UpstreamFailure failure : kAll) {
    const auto code = GetOciErrorCode(UpstreamError(failure, "docker.io: no"));
    ASSERT_TRUE(code.has_value());
    EXPECT_THAT(GetOciErrorInfo(*code).http_status, testing::AnyOf(403, 404, 503)) << ToString(failure);
  }
  EXPECT_THAT(UpstreamError(UpstreamFailure::kRateLimited, ""), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(UpstreamError(UpstreamFailure::kInvalid, ""), IsOciError(OciErrorCode::kUnavailable));
}

TEST(UpstreamErrorTest, ShowsItsMessageToTheClient) {
  EXPECT_EQ(GetOciErrorDetail(UpstreamError(UpstreamFailure::kUnavailable, "docker.io: no route")),
            "docker.io: no route");
}

TEST(UpstreamErrorTest, HoldsTheWaitBetweenASecondAndAnHour) {
  const auto wait = [](absl::Duration asked) {
    return UpstreamRetryAfter(UpstreamError(UpstreamFailure::kRateLimited, "", asked));
  };
  EXPECT_EQ(wait(absl::Seconds(-5)), absl::Seconds(1));
  EXPECT_EQ(wait(absl::Seconds(40)), absl::Seconds(40));
  EXPECT_EQ(wait(absl::InfiniteDuration()), absl::Hours(1));
}

TEST(UpstreamErrorTest, GivesTheClientAWaitAlsoWithoutOneOfTheUpstream) {
  const absl::Status status = UpstreamError(UpstreamFailure::kUnavailable, "");
  EXPECT_EQ(UpstreamRetryAfter(status), std::nullopt);
  EXPECT_EQ(GetRetryAfter(status), absl::Seconds(5));
  EXPECT_EQ(GetRetryAfter(UpstreamError(UpstreamFailure::kRateLimited, "", absl::Seconds(90))), absl::Seconds(90));
  EXPECT_EQ(GetRetryAfter(UpstreamError(UpstreamFailure::kNotFound, "")), std::nullopt);
}

TEST(UpstreamErrorTest, TellsWhichRequestsWereNotSent) {
  const absl::Status status = NotSentError("too many requests run");
  EXPECT_TRUE(IsNotSent(status));
  EXPECT_EQ(FailureOf(status), UpstreamFailure::kUnavailable);
  EXPECT_FALSE(IsNotSent(UpstreamError(UpstreamFailure::kUnavailable, "down")));
}

}  // namespace
}  // namespace entrepot::upstream
