#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_RETRY_POLICY_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_RETRY_POLICY_H_

#include <optional>

#include "absl/random/random.h"
#include "absl/time/time.h"
#include "grpcpp/support/status.h"
#include "services/core/time/backoff.h"
#include "services/runtime/grpc/grpc_deadline.h"

namespace entrepot::runtime {

// Decides for one call, safe to make twice, whether it is made again: where it did not come through to the service, or
// its answer not back, for as long as a service takes to restart. What the service itself answered is final. Not safe
// for several threads.
class GrpcRestartPatience {
 public:
  // `deadline` is for all attempts together.
  explicit GrpcRestartPatience(absl::Duration deadline);
  GrpcRestartPatience(const GrpcRestartPatience&) = delete;
  GrpcRestartPatience& operator=(const GrpcRestartPatience&) = delete;

  // After an attempt that ended so: how long to wait before the next one; nullopt: there is none.
  std::optional<absl::Duration> Next(const grpc::Status& status);

 private:
  const GrpcDeadline give_up_;
  absl::InsecureBitGen random_;
  Backoff backoff_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_RETRY_POLICY_H_
