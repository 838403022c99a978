#ifndef ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_UPLOAD_STREAM_H_
#define ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_UPLOAD_STREAM_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "boost/asio/awaitable.hpp"
#include "entrepot/blob/v1/blob_service.grpc.pb.h"
#include "gateway/backends/blob_backend.h"
#include "gateway/backends/grpc/grpc_client.h"

namespace entrepot::gateway {

using BlobClient = GrpcClient<blob::v1::BlobService>;

// Opens an AppendToUpload call and waits until the service has accepted it for the session. One message is under way at
// a time, so a slow disk of the service slows down the client. `client` must outlive the stream.
boost::asio::awaitable<absl::StatusOr<std::unique_ptr<UploadStream>>> OpenGrpcUploadStream(
    const BlobClient& client, std::string request_id, blob::v1::AppendHeader header);

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_UPLOAD_STREAM_H_
