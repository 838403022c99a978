#include "services/runtime/grpc/grpc_retry_policy.h"

#include "absl/time/time.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

namespace entrepot::runtime {
namespace {

bool IsRepeated(const grpc::Status& status) { return GrpcRetryPolicy(absl::Seconds(5)).Next(status).has_value(); }

TEST(GrpcRetryPolicyTest, RepeatsACallThatTheServiceHasNotAnswered) {
  EXPECT_TRUE(IsRepeated(grpc::Status(grpc::StatusCode::UNAVAILABLE, "")));
  // Of a server that has begun to shut down.
  EXPECT_TRUE(IsRepeated(grpc::Status(grpc::StatusCode::CANCELLED, "CANCELLED")));
}

TEST(GrpcRetryPolicyTest, AnAnswerOfTheServiceIsFinal) {
  EXPECT_FALSE(IsRepeated(grpc::Status::OK));
  EXPECT_FALSE(IsRepeated(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the disk is full", "details")));
  EXPECT_FALSE(IsRepeated(grpc::Status(grpc::StatusCode::CANCELLED, "ending", "details")));
  EXPECT_FALSE(IsRepeated(grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "")));
}

}  // namespace
}  // namespace entrepot::runtime
