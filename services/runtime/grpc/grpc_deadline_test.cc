#include "services/runtime/grpc/grpc_deadline.h"

#include "absl/time/time.h"
#include "grpc/support/time.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"

namespace entrepot::runtime {
namespace {

TEST(GrpcDeadline, ReportsTheTimeLeft) {
  const GrpcDeadline deadline(absl::Minutes(3));
  EXPECT_LE(deadline.Left(), absl::Minutes(3));
  EXPECT_GT(deadline.Left(), absl::Minutes(2));
}

TEST(GrpcDeadline, Passes) {
  const GrpcDeadline deadline(absl::Milliseconds(1));
  EXPECT_TRUE(Eventually([&] { return deadline.Left() <= absl::ZeroDuration(); }));
}

TEST(GrpcDeadline, MayBeInThePast) { EXPECT_LE(GrpcDeadline(-absl::Seconds(1)).Left(), -absl::Seconds(1)); }

TEST(GrpcDeadline, MayBeInfinite) { EXPECT_GT(GrpcDeadline(absl::InfiniteDuration()).Left(), absl::Hours(24 * 365)); }

TEST(GrpcDeadline, LimitsACallByTheMonotonicClock) {
  grpc::ClientContext call;
  GrpcDeadline(absl::Seconds(10)).Limit(&call);
  EXPECT_EQ(call.raw_deadline().clock_type, GPR_CLOCK_MONOTONIC);
  const gpr_timespec left = gpr_time_sub(call.raw_deadline(), gpr_now(GPR_CLOCK_MONOTONIC));
  EXPECT_LE(left.tv_sec, 10);
  EXPECT_GE(left.tv_sec, 5);
}

}  // namespace
}  // namespace entrepot::runtime
