#ifndef ENTREPOT_SERVICES_STATUS_GRPC_STATUS_H_
#define ENTREPOT_SERVICES_STATUS_GRPC_STATUS_H_

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

// absl::Status to and from grpc::Status. The codes map one to one; an OCI code and detail ride in the details as
// entrepot.types.v1.OciError, in the envelope that gRPC's tools know (google.rpc.Status).
namespace entrepot {

grpc::Status ToGrpcStatus(const absl::Status& status);

// Where the call did not come through (UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, no OCI code): kUnavailable with
// UNAVAILABLE. Details that cannot be read count as none.
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_STATUS_GRPC_STATUS_H_
