#ifndef ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_OBJECT_STREAM_H_
#define ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_OBJECT_STREAM_H_

#include <string>

#include "absl/status/statusor.h"
#include "boost/asio/awaitable.hpp"
#include "entrepot/blob/v1/blob_service.grpc.pb.h"
#include "gateway/backends/blob_backend.h"
#include "gateway/backends/grpc/grpc_client.h"

namespace entrepot::gateway {

// Opens a ReadObject call and waits for its first message: the bytes themselves where that is all of them. Else one
// message is read ahead; a call that breaks off is made again from where it broke. `stub` and `client` outlive the
// content.
boost::asio::awaitable<absl::StatusOr<ObjectContent>> OpenGrpcObject(blob::v1::BlobService::StubInterface* stub,
                                                                     const GrpcClient& client, std::string request_id,
                                                                     blob::v1::ReadObjectRequest request);

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_OBJECT_STREAM_H_
