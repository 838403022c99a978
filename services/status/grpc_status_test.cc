#include "services/status/grpc_status.h"

#include "gtest/gtest.h"
#include "services/status/oci_error.h"
#include "services/status/retry_after.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

absl::Status RoundTrip(const absl::Status& status) { return FromGrpcStatus(ToGrpcStatus(status)); }

TEST(GrpcStatusTest, OkStaysOk) {
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
  EXPECT_OK(RoundTrip(absl::OkStatus()));
}

TEST(GrpcStatusTest, PlainCodesMapOneToOne) {
  for (int i = 1; i <= static_cast<int>(absl::StatusCode::kUnauthenticated); ++i) {
    const absl::Status status(static_cast<absl::StatusCode>(i), "why");
    const grpc::Status sent = ToGrpcStatus(status);
    EXPECT_EQ(static_cast<int>(sent.error_code()), i);
    EXPECT_EQ(sent.error_message(), "why");
    EXPECT_EQ(sent.error_details(), "");
  }
  EXPECT_EQ(RoundTrip(absl::DataLossError("why")), absl::DataLossError("why"));
}

TEST(GrpcStatusTest, PreservesEveryOciCode) {
  for (int i = 0; i <= static_cast<int>(OciErrorCode::kUnknown); ++i) {
    const absl::Status status = OciError(static_cast<OciErrorCode>(i), "why", "what\nmore");
    EXPECT_EQ(RoundTrip(status), status);
  }
}

TEST(GrpcStatusTest, PreservesTheWait) {
  const absl::Status status = WithRetryAfter(OciError(OciErrorCode::kTooManyRequests, "why"), absl::Seconds(42));
  EXPECT_EQ(RoundTrip(status), status);
  EXPECT_EQ(GetRetryAfter(RoundTrip(OciError(OciErrorCode::kTooManyRequests, "why"))), std::nullopt);
}

TEST(GrpcStatusTest, EscapesADetailThatIsNotUtf8) {
  const absl::Status received = RoundTrip(OciError(OciErrorCode::kNameInvalid, "why", "\xff"));
  EXPECT_THAT(received, IsOciError(OciErrorCode::kNameInvalid));
  EXPECT_EQ(GetOciErrorDetail(received), "\\xff");
}

TEST(GrpcStatusTest, FailedCallsAreUnavailable) {
  for (grpc::StatusCode code :
       {grpc::StatusCode::UNAVAILABLE, grpc::StatusCode::DEADLINE_EXCEEDED, grpc::StatusCode::CANCELLED}) {
    const absl::Status status = FromGrpcStatus(grpc::Status(code, "connection refused"));
    EXPECT_THAT(status, IsOciError(OciErrorCode::kUnavailable));
    EXPECT_EQ(status.message(), "connection refused");
  }
}

TEST(GrpcStatusTest, IgnoresUnreadableDetails) {
  const absl::Status status = FromGrpcStatus(grpc::Status(grpc::StatusCode::NOT_FOUND, "why", "\xff\xff"));
  EXPECT_EQ(status, absl::NotFoundError("why"));
}

TEST(GrpcStatusTest, UnknownGrpcCodeIsUnknown) {
  EXPECT_THAT(FromGrpcStatus(grpc::Status(static_cast<grpc::StatusCode>(20), "")),
              StatusIs(absl::StatusCode::kUnknown));
}

}  // namespace
}  // namespace entrepot
