#include "gateway/api/uploads/upload_completion.h"

#include "gateway/api/request/locations.h"
#include "services/core/content.h"
#include "services/core/failpoint/failpoint.h"
#include "services/runtime/log/json_log.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {

HandlerResult CommitUpload(BlobBackend& blobs, ManifestBackend& manifests, const RegistryRequest& request,
                           const UploadId& id, const SealedUpload& sealed) {
  const Blob blob{sealed.digest, sealed.size_bytes, sealed.storage_key};
  CO_RETURN_IF_ERROR(Failpoint("gateway.upload.sealed"));
  CO_RETURN_IF_ERROR((co_await manifests.CommitBlob(request.call, request.repository, blob)).status());
  CO_RETURN_IF_ERROR(Failpoint("gateway.upload.committed"));
  const absl::Status forgotten = co_await blobs.ForgetUpload(request.call, request.repository, id);
  if (!forgotten.ok()) {
    runtime::Log(runtime::LogLevel::kWarning, "a committed upload's session stays until it expires",
                 {{"request_id", request.call.request_id},
                  {"upload_id", id.ToString()},
                  {"reason", absl::string_view(forgotten.message())}});
  }
  CO_RETURN_IF_ERROR(Failpoint("gateway.upload.forgotten"));
  co_return BlobCreated(request.repository, sealed.digest);
}

http::Response BlobCreated(const RepositoryName& repository, const Digest& digest) {
  http::Response response;
  response.status = 201;
  response.fields.emplace_back("Location", BlobLocation(repository, digest));
  response.fields.emplace_back("Docker-Content-Digest", digest.ToString());
  return response;
}

}  // namespace entrepot::gateway::api
