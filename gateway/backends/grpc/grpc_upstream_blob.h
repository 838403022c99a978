#ifndef ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_UPSTREAM_BLOB_H_
#define ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_UPSTREAM_BLOB_H_

#include <string>

#include "absl/status/statusor.h"
#include "boost/asio/awaitable.hpp"
#include "entrepot/upstream/v1/upstream_service.grpc.pb.h"
#include "gateway/backends/grpc/grpc_client.h"
#include "gateway/backends/upstream_backend.h"

namespace entrepot::gateway {

using UpstreamClient = GrpcClient<upstream::v1::UpstreamService>;

// Opens a ReadBlob call and awaits its first message, which has the blob's size. While a message of the body is sent,
// the next one arrives, and no other: of a slow client's body no more than two messages and gRPC's window are in
// memory. If the call breaks off, the body makes it again for the rest: a service that was restarted fetches the blob
// again. An empty blob is not a body: its fetch is awaited. `client` must outlive the body.
boost::asio::awaitable<absl::StatusOr<UpstreamBlob>> OpenGrpcUpstreamBlob(
    const UpstreamClient& client, std::string request_id, upstream::v1::ReadUpstreamBlobRequest request);

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_UPSTREAM_BLOB_H_
