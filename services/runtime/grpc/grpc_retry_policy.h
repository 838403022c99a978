#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_RETRY_POLICY_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_RETRY_POLICY_H_

#include <optional>

#include "absl/random/random.h"
#include "absl/time/time.h"
#include "grpcpp/support/status.h"
#include "services/core/time/backoff.h"
#include "services/runtime/grpc/grpc_deadline.h"

namespace entrepot::runtime {

// Whether the call did not reach the service, or the response was lost. A status from the service has details; gRPC's
// own status for a lost connection, or for a service that ends, has none. So has that of a call which this process has
// cancelled: no caller waits for it.
bool IsLostCall(const grpc::Status& status);

// Decides whether one call, which must be safe to repeat, is repeated. It is repeated if the call did not reach the
// service or the response was lost, for at most 5 s, which a service takes to restart. A response of the service itself
// is final. Not thread-safe.
class GrpcRetryPolicy {
 public:
  // `deadline` covers all attempts together. Both the deadline and the 5 s begin now, so construct this just before the
  // first attempt.
  explicit GrpcRetryPolicy(absl::Duration deadline);
  GrpcRetryPolicy(const GrpcRetryPolicy&) = delete;
  GrpcRetryPolicy& operator=(const GrpcRetryPolicy&) = delete;

  // After an attempt that ended with `status`: how long to wait before the next attempt, or nullopt if there is none.
  std::optional<absl::Duration> Next(const grpc::Status& status);

 private:
  const GrpcDeadline give_up_;
  absl::InsecureBitGen random_;
  Backoff backoff_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_RETRY_POLICY_H_
