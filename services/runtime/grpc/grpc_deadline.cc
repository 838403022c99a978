#include "services/runtime/grpc/grpc_deadline.h"

namespace entrepot::runtime {

GrpcDeadline::GrpcDeadline(absl::Duration from_now)
    : moment_(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                           gpr_time_from_nanos(absl::ToInt64Nanoseconds(from_now), GPR_TIMESPAN))) {}

absl::Duration GrpcDeadline::Left() const {
  const gpr_timespec left = gpr_time_sub(moment_, gpr_now(GPR_CLOCK_MONOTONIC));
  return absl::Seconds(left.tv_sec) + absl::Nanoseconds(left.tv_nsec);
}

void GrpcDeadline::Limit(grpc::ClientContext* call) const { call->set_deadline(moment_); }

}  // namespace entrepot::runtime
