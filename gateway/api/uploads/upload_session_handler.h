#ifndef ENTREPOT_GATEWAY_API_UPLOADS_UPLOAD_SESSION_HANDLER_H_
#define ENTREPOT_GATEWAY_API_UPLOADS_UPLOAD_SESSION_HANDLER_H_

#include <cstdint>

#include "gateway/api/request/registry_request.h"
#include "gateway/backends/blob_backend.h"
#include "gateway/backends/manifest_backend.h"
#include "services/core/digest.h"
#include "services/core/upload_id.h"

namespace entrepot::gateway::api {

// /v2/N/blobs/uploads/<session>: GET returns the session's progress, PATCH appends, PUT appends and completes, DELETE
// cancels. Thread-safe.
//
// A client that gets no answer may repeat each request (docs/http-api.md): PUT and DELETE give the same answer again. A
// PATCH with a Content-Range gives 416 with the Range to continue after, which the specification's conformance tests
// demand and resuming clients use.
class UploadSessionHandler {
 public:
  // Both backends must outlive the handler.
  UploadSessionHandler(BlobBackend* blobs, ManifestBackend* manifests, uint64_t blob_bytes_max)
      : blobs_(blobs), manifests_(manifests), blob_bytes_max_(blob_bytes_max) {}

  HandlerResult Handle(RegistryRequest& request) const;

 private:
  HandlerResult Status(RegistryRequest& request, const UploadId& id) const;
  HandlerResult Patch(RegistryRequest& request, const UploadId& id) const;
  HandlerResult Put(RegistryRequest& request, const UploadId& id) const;
  // Completes the upload without further bytes. If an earlier PUT has completed it, the answer is the same again, as
  // long as the repository has the blob.
  HandlerResult Complete(RegistryRequest& request, const UploadId& id, const Digest& digest) const;
  HandlerResult Cancel(RegistryRequest& request, const UploadId& id) const;
  // 416 with the offset to continue at.
  HandlerResult OutOfOrder(RegistryRequest& request, const UploadId& id, const absl::Status& status) const;

  BlobBackend* const blobs_;
  ManifestBackend* const manifests_;
  const uint64_t blob_bytes_max_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_UPLOADS_UPLOAD_SESSION_HANDLER_H_
