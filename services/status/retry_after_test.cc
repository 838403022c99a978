#include "services/status/retry_after.h"

#include "gtest/gtest.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

TEST(RetryAfterTest, RoundsUpToWholeSeconds) {
  const absl::Status status = absl::UnavailableError("later");
  EXPECT_EQ(GetRetryAfter(WithRetryAfter(status, absl::Seconds(3))), absl::Seconds(3));
  EXPECT_EQ(GetRetryAfter(WithRetryAfter(status, absl::Milliseconds(2001))), absl::Seconds(3));
  EXPECT_EQ(GetRetryAfter(WithRetryAfter(status, absl::ZeroDuration())), absl::Seconds(1));
  EXPECT_EQ(RetryAfterSeconds(absl::Milliseconds(2001)), 3);
}

TEST(RetryAfterTest, KeepsTheOtherPartsOfTheStatus) {
  const absl::Status status =
      WithRetryAfter(OciError(OciErrorCode::kTooManyRequests, "later", "detail"), absl::Seconds(3));
  EXPECT_THAT(status, IsOciError(OciErrorCode::kTooManyRequests));
  EXPECT_EQ(GetOciErrorDetail(status), "detail");
}

TEST(RetryAfterTest, IsUnknownForOtherStatuses) {
  EXPECT_EQ(GetRetryAfter(absl::OkStatus()), std::nullopt);
  EXPECT_EQ(GetRetryAfter(OciError(OciErrorCode::kUnavailable, "down")), std::nullopt);
}

}  // namespace
}  // namespace entrepot
