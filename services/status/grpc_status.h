#ifndef ENTREPOT_SERVICES_STATUS_GRPC_STATUS_H_
#define ENTREPOT_SERVICES_STATUS_GRPC_STATUS_H_

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

// Converts between absl::Status and grpc::Status. The codes map one to one. The OCI code and detail are in the details
// as entrepot.types.v1.OciError, in the envelope that gRPC's tools know (google.rpc.Status).
namespace entrepot {

grpc::Status ToGrpcStatus(const absl::Status& status);

// A failed call (UNAVAILABLE, DEADLINE_EXCEEDED or CANCELLED without an OCI code) gives kUnavailable with UNAVAILABLE.
// Unreadable details are ignored.
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_STATUS_GRPC_STATUS_H_
