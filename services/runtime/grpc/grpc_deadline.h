#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_DEADLINE_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_DEADLINE_H_

#include "absl/time/time.h"
#include "grpc/support/time.h"
#include "grpcpp/client_context.h"

namespace entrepot::runtime {

// A deadline of calls, by the monotonic clock: setting the system's clock does not move it. Thread-safe.
class GrpcDeadline {
 public:
  explicit GrpcDeadline(absl::Duration from_now);

  // The time that is left. Zero or negative once the deadline has passed.
  absl::Duration Left() const;

  // For other waits of gRPC.
  gpr_timespec moment() const { return moment_; }

  // Ends the call with DEADLINE_EXCEEDED at the deadline. Must be called before the call starts.
  void Limit(grpc::ClientContext* call) const;

 private:
  gpr_timespec moment_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_DEADLINE_H_
