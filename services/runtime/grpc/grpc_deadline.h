#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_DEADLINE_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_DEADLINE_H_

#include "absl/time/time.h"
#include "grpc/support/time.h"
#include "grpcpp/client_context.h"

namespace entrepot::runtime {

// A moment of the monotonic clock, until when calls may take: no step of the system's clock makes it pass sooner or
// later. Thread-safe.
class GrpcDeadline {
 public:
  explicit GrpcDeadline(absl::Duration from_now);

  // Not positive once it has passed.
  absl::Duration Left() const;

  // Before the call starts; it then ends with DEADLINE_EXCEEDED, if not sooner.
  void Limit(grpc::ClientContext* call) const;

 private:
  gpr_timespec moment_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_DEADLINE_H_
