#include "services/runtime/grpc/grpc_retry_policy.h"

#include <algorithm>

#include "absl/time/time.h"

namespace entrepot::runtime {
namespace {

constexpr absl::Duration kRestart = absl::Seconds(5);
constexpr absl::Duration kBackoffMin = absl::Milliseconds(20);
constexpr absl::Duration kBackoffMax = absl::Milliseconds(400);

}  // namespace

bool IsLostCall(const grpc::Status& status) {
  // CANCELLED: a server that has just begun to shut down ends so a call that reaches it.
  const grpc::StatusCode code = status.error_code();
  return (code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::CANCELLED) &&
         status.error_details().empty();
}

GrpcRetryPolicy::GrpcRetryPolicy(absl::Duration deadline)
    : give_up_(std::min(deadline, kRestart)), backoff_(kBackoffMin, kBackoffMax, random_) {}

std::optional<absl::Duration> GrpcRetryPolicy::Next(const grpc::Status& status) {
  if (!IsLostCall(status)) return std::nullopt;
  const absl::Duration wait = backoff_.Next();
  if (wait >= give_up_.Left()) return std::nullopt;
  return wait;
}

}  // namespace entrepot::runtime
