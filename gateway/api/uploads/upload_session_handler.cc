#include "gateway/api/uploads/upload_session_handler.h"

#include <optional>
#include <string>

#include "gateway/api/request/error_response.h"
#include "gateway/api/request/query.h"
#include "gateway/api/request/route_table.h"
#include "gateway/api/uploads/upload_append.h"
#include "gateway/api/uploads/upload_completion.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

absl::StatusOr<Digest> ParseDigest(absl::string_view query_text) {
  ASSIGN_OR_RETURN(const Query query, Query::Parse(query_text));
  ASSIGN_OR_RETURN(const std::optional<std::string> text, query.Single("digest", OciErrorCode::kDigestInvalid));
  if (!text.has_value()) {
    return OciError(OciErrorCode::kDigestInvalid, "the parameter \"digest\" is missing");
  }
  return Digest::Parse(*text);
}

http::Response Describe(int status, const RepositoryName& repository, const Upload& upload) {
  http::Response response;
  response.status = status;
  AddUploadFields(repository, upload, &response);
  return response;
}

}  // namespace

HandlerResult UploadSessionHandler::Handle(RegistryRequest& request) const {
  CO_ASSIGN_OR_RETURN(const UploadId id, UploadId::Parse(request.argument));
  const absl::string_view method = request.http.method;
  if (method == "PATCH") co_return co_await Patch(request, id);
  if (method == "PUT") co_return co_await Put(request, id);
  if (method == "DELETE") co_return co_await Cancel(request, id);
  co_return co_await Status(request, id);
}

HandlerResult UploadSessionHandler::Status(RegistryRequest& request, const UploadId& id) const {
  CO_ASSIGN_OR_RETURN(const Upload upload, co_await blobs_->GetUpload(request.call, request.repository, id));
  co_return Describe(204, request.repository, upload);
}

HandlerResult UploadSessionHandler::Patch(RegistryRequest& request, const UploadId& id) const {
  const auto stream = co_await AppendRequestBody(*blobs_, request, id, nullptr, blob_bytes_max_);
  if (absl::IsOutOfRange(stream.status())) co_return co_await OutOfOrder(request, id, stream.status());
  CO_RETURN_IF_ERROR(stream.status());
  CO_ASSIGN_OR_RETURN(const Upload upload, co_await (*stream)->Finish());
  co_return Describe(202, request.repository, upload);
}

HandlerResult UploadSessionHandler::Put(RegistryRequest& request, const UploadId& id) const {
  CO_ASSIGN_OR_RETURN(const Digest digest, ParseDigest(request.http.query));
  if (request.http.body->content_length() == 0u) co_return co_await Complete(request, id, digest);
  const auto stream = co_await AppendRequestBody(*blobs_, request, id, &digest, blob_bytes_max_);
  // An earlier request with these bytes has sealed the upload, at least.
  if (absl::IsNotFound(stream.status())) co_return co_await Complete(request, id, digest);
  if (absl::IsOutOfRange(stream.status())) co_return co_await OutOfOrder(request, id, stream.status());
  CO_RETURN_IF_ERROR(stream.status());
  CO_ASSIGN_OR_RETURN(const Blob sealed, co_await (*stream)->FinishAndSeal(digest));
  co_return co_await CommitUpload(*blobs_, *manifests_, request, id, sealed);
}

HandlerResult UploadSessionHandler::Complete(RegistryRequest& request, const UploadId& id, const Digest& digest) const {
  const absl::StatusOr<Blob> sealed = co_await blobs_->SealUpload(request.call, request.repository, id, digest);
  if (sealed.ok()) co_return co_await CommitUpload(*blobs_, *manifests_, request, id, *sealed);
  if (!absl::IsAlreadyExists(sealed.status())) co_return sealed.status();
  // A mount from the repository itself finds the blob only there, and renews its lease as the commit did.
  const absl::Status there =
      (co_await manifests_->MountBlob(request.call, request.repository, digest, request.repository)).status();
  if (absl::IsNotFound(there)) {
    co_return OciError(OciErrorCode::kBlobUploadUnknown, "the upload is complete, and its blob has been deleted");
  }
  CO_RETURN_IF_ERROR(there);
  co_return BlobCreated(request.repository, digest);
}

HandlerResult UploadSessionHandler::Cancel(RegistryRequest& request, const UploadId& id) const {
  CO_RETURN_IF_ERROR(co_await blobs_->CancelUpload(request.call, request.repository, id));
  http::Response response;
  response.status = 204;
  co_return response;
}

HandlerResult UploadSessionHandler::OutOfOrder(RegistryRequest& request, const UploadId& id,
                                               const absl::Status& status) const {
  CO_ASSIGN_OR_RETURN(const Upload upload, co_await blobs_->GetUpload(request.call, request.repository, id));
  http::Response response = ErrorResponse(status, request.call.request_id);
  if (upload.offset_bytes > 0) {
    AddUploadFields(request.repository, upload, &response);
  } else {
    // No Range: "0-0" would tell the client that the session has one byte.
    response.fields.emplace_back("Location",
                                 RoutePath(RouteFamily::kUploadSession, request.repository.ToString(), id.ToString()));
  }
  co_return response;
}

}  // namespace entrepot::gateway::api
