#ifndef ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_OBJECT_STREAM_H_
#define ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_OBJECT_STREAM_H_

#include <string>

#include "absl/status/statusor.h"
#include "boost/asio/awaitable.hpp"
#include "entrepot/blob/v1/blob_service.grpc.pb.h"
#include "gateway/backends/blob_backend.h"
#include "gateway/backends/grpc/grpc_client.h"
#include "gateway/backends/grpc/shared_object_files.h"

namespace entrepot::gateway {

using BlobClient = GrpcClient<blob::v1::BlobService>;

// Opens a ReadObject call and awaits its first message. If that message is the whole object, the body is its bytes.
// Otherwise the body is a stream. While a message is sent, the next one arrives, and no other: of a slow client's body
// no more than two messages and gRPC's window are in memory. If the call breaks off, the stream makes it again for the
// rest. If `files` is not null, and can open the object's file, the body is the file. If the service answers with a
// URL, there is no body. `client` and `files` must outlive the body.
boost::asio::awaitable<absl::StatusOr<ObjectContent>> OpenGrpcObject(const BlobClient& client, std::string request_id,
                                                                     blob::v1::ReadObjectRequest request,
                                                                     SharedObjectFiles* files);

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_OBJECT_STREAM_H_
