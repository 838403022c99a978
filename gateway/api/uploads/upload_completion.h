#ifndef ENTREPOT_GATEWAY_API_UPLOADS_UPLOAD_COMPLETION_H_
#define ENTREPOT_GATEWAY_API_UPLOADS_UPLOAD_COMPLETION_H_

#include "gateway/api/request/registry_request.h"
#include "gateway/backends/blob_backend.h"
#include "gateway/backends/manifest_backend.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/core/upload.h"
#include "services/core/upload_id.h"

namespace entrepot::gateway::api {

// Makes a sealed upload, verified and durable, a blob of the repository; only then 201. What breaks in between is
// mended by the client's same request once more, as long as the session has not been forgotten.
HandlerResult CommitUpload(BlobBackend& blobs, ManifestBackend& manifests, const RegistryRequest& request,
                           const UploadId& id, const SealedUpload& sealed);

// 201 with where the blob now is.
http::Response BlobCreated(const RepositoryName& repository, const Digest& digest);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_UPLOADS_UPLOAD_COMPLETION_H_
