#ifndef ENTREPOT_GATEWAY_API_UPLOADS_UPLOAD_APPEND_H_
#define ENTREPOT_GATEWAY_API_UPLOADS_UPLOAD_APPEND_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/api/request/registry_request.h"
#include "gateway/backends/blob_backend.h"
#include "services/core/digest.h"
#include "services/core/upload_id.h"

namespace entrepot::gateway::api {

// Appends a request's body to an upload session, where its Content-Range says, if it has one, and returns the stream,
// still to be finished. `algorithm` is what the digest will be made with, where that is known. `blob_bytes_max` 0: no
// limit.
//
// Where it fails, what arrived stays with the session, so that the client can go on behind it. kOutOfRange
// (RANGE_INVALID): not where the session ends. kInvalidArgument: BLOB_UPLOAD_INVALID (a Content-Range that is none, a
// body that broke off), SIZE_INVALID (a body that is not as long as its range; 413: a blob that is longer than it may
// be).
boost::asio::awaitable<absl::StatusOr<std::unique_ptr<UploadStream>>> AppendRequestBody(
    BlobBackend& blobs, RegistryRequest& request, const UploadId& id, std::optional<DigestAlgorithm> algorithm,
    uint64_t blob_bytes_max);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_UPLOADS_UPLOAD_APPEND_H_
