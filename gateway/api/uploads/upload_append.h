#ifndef ENTREPOT_GATEWAY_API_UPLOADS_UPLOAD_APPEND_H_
#define ENTREPOT_GATEWAY_API_UPLOADS_UPLOAD_APPEND_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/api/request/registry_request.h"
#include "gateway/backends/blob_backend.h"
#include "services/core/digest.h"
#include "services/core/upload_id.h"

namespace entrepot::gateway::api {

// Appends a request's body to an upload session, at the offset of its Content-Range if it has one, and returns the
// unfinished stream. `digest` is the blob's digest if these are its last bytes. A `blob_bytes_max` of 0 means no limit.
//
// After an error, the bytes that arrived stay in the session, so that the client can continue after them. kOutOfRange
// (RANGE_INVALID): the offset is not the end of the session. kInvalidArgument: BLOB_UPLOAD_INVALID (an invalid
// Content-Range, or a body that broke off) or SIZE_INVALID (the body is not as long as its range; 413: the blob exceeds
// the limit).
boost::asio::awaitable<absl::StatusOr<std::unique_ptr<UploadStream>>> AppendRequestBody(
    BlobBackend& blobs, RegistryRequest& request, const UploadId& id, const Digest* digest, uint64_t blob_bytes_max);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_UPLOADS_UPLOAD_APPEND_H_
