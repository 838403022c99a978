#include "gateway/api/uploads/upload_completion.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/detached.hpp"
#include "boost/asio/this_coro.hpp"
#include "gateway/api/request/route_table.h"
#include "services/core/content.h"
#include "services/core/failpoint/failpoint.h"
#include "services/runtime/log/limited_log.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

boost::asio::awaitable<void> EndSession(BlobBackend& blobs, CallContext call, RepositoryName repository, UploadId id) {
  const absl::Status forgotten = co_await blobs.ForgetUpload(call, repository, id);
  if (!forgotten.ok()) {
    runtime::LogLimited(runtime::LogLevel::kWarning, "the session of a committed upload stays until it expires", "",
                        {{"request_id", call.request_id},
                         {"upload_id", id.ToString()},
                         {"reason", absl::string_view(forgotten.message())}});
  }
  Failpoint("gateway.upload.forgotten").IgnoreError();
}

}  // namespace

HandlerResult CommitUpload(BlobBackend& blobs, ManifestBackend& manifests, const RegistryRequest& request,
                           const UploadId& id, const Blob& sealed) {
  const Blob blob{sealed.digest, sealed.size_bytes, sealed.storage_key};
  CO_RETURN_IF_ERROR(Failpoint("gateway.upload.sealed"));
  CO_RETURN_IF_ERROR((co_await manifests.CommitBlob(request.call, request.repository, blob)).status());
  CO_RETURN_IF_ERROR(Failpoint("gateway.upload.committed"));
  // The client does not wait for this. Its address is valid only during the request.
  CallContext call = request.call;
  call.remote_address = {};
  boost::asio::co_spawn(co_await boost::asio::this_coro::executor,
                        EndSession(blobs, std::move(call), request.repository, id), boost::asio::detached);
  co_return BlobCreated(request.repository, sealed.digest);
}

http::Response BlobCreated(const RepositoryName& repository, const Digest& digest) {
  http::Response response;
  response.status = 201;
  response.fields.emplace_back("Location", RoutePath(RouteFamily::kBlob, repository.ToString(), digest.ToString()));
  response.fields.emplace_back("Docker-Content-Digest", digest.ToString());
  return response;
}

void AddUploadFields(const RepositoryName& repository, const Upload& upload, http::Response* response) {
  const uint64_t last = std::max<uint64_t>(upload.offset_bytes, 1) - 1;
  response->fields.emplace_back("Location",
                                RoutePath(RouteFamily::kUploadSession, repository.ToString(), upload.id.ToString()));
  response->fields.emplace_back("Range", absl::StrCat("0-", last));
  response->fields.emplace_back("Docker-Upload-UUID", upload.id.ToString());
}

}  // namespace entrepot::gateway::api
