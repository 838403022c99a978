#include "services/runtime/grpc/grpc_retry_policy.h"

#include <algorithm>

#include "absl/time/time.h"

namespace entrepot::runtime {
namespace {

constexpr absl::Duration kRestart = absl::Seconds(5);
constexpr absl::Duration kBackoffMin = absl::Milliseconds(20);
constexpr absl::Duration kBackoffMax = absl::Milliseconds(400);

// A status from the service has details; gRPC's own status for a lost connection has none.
bool IsLost(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE && status.error_details().empty();
}

}  // namespace

GrpcRetryPolicy::GrpcRetryPolicy(absl::Duration deadline)
    : give_up_(std::min(deadline, kRestart)), backoff_(kBackoffMin, kBackoffMax, random_) {}

std::optional<absl::Duration> GrpcRetryPolicy::Next(const grpc::Status& status) {
  if (!IsLost(status)) return std::nullopt;
  const absl::Duration wait = backoff_.Next();
  if (wait >= give_up_.Left()) return std::nullopt;
  return wait;
}

}  // namespace entrepot::runtime
