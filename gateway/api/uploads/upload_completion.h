#ifndef ENTREPOT_GATEWAY_API_UPLOADS_UPLOAD_COMPLETION_H_
#define ENTREPOT_GATEWAY_API_UPLOADS_UPLOAD_COMPLETION_H_

#include "gateway/api/request/registry_request.h"
#include "gateway/backends/blob_backend.h"
#include "gateway/backends/manifest_backend.h"
#include "gateway/http/message.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/core/upload.h"
#include "services/core/upload_id.h"

namespace entrepot::gateway::api {

// Adds a sealed upload, which is verified and durable, to the repository as a blob, and only then responds with 201. If
// it fails in between, the client can repeat its request for as long as the session has not been forgotten. The session
// is forgotten beside the answer, which does not wait for it; `blobs` must outlive that.
HandlerResult CommitUpload(BlobBackend& blobs, ManifestBackend& manifests, const RegistryRequest& request,
                           const UploadId& id, const Blob& sealed);

// 201 with the location of the blob.
http::Response BlobCreated(const RepositoryName& repository, const Digest& digest);

// Adds the fields that describe a session: Location, Docker-Upload-UUID and `Range: 0-<last byte>`. An empty session
// also has `0-0`, because clients cannot parse less.
void AddUploadFields(const RepositoryName& repository, const Upload& upload, http::Response* response);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_UPLOADS_UPLOAD_COMPLETION_H_
