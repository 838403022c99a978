#include "gateway/api/registry_api.h"

#include <cstdlib>
#include <string>
#include <utility>
#include <variant>

#include "gateway/api/blob_handler.h"
#include "gateway/api/catalog_handler.h"
#include "gateway/api/error_response.h"
#include "gateway/api/manifest_handler.h"
#include "gateway/api/referrers_handler.h"
#include "gateway/api/registry_request.h"
#include "gateway/api/route_table.h"
#include "gateway/api/tag_list_handler.h"
#include "gateway/api/upload_handler.h"
#include "gateway/api/uploads_handler.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

using boost::asio::awaitable;

http::Response BaseResponse() {
  http::Response response;
  response.fields.emplace_back("Content-Type", "application/json");
  response.body = "{}";
  return response;
}

http::Response MethodNotAllowed(const RouteInfo& route) {
  http::Response response =
      ErrorResponse(OciError(OciErrorCode::kUnsupported, "this endpoint does not know the method"), "");
  response.fields.emplace_back("Allow", route.allow);
  return response;
}

// HEAD answers as GET does, without the body.
void RemoveBody(http::Response* response) {
  if (response->head_content_length.has_value()) return;
  if (auto* text = std::get_if<std::string>(&response->body)) {
    response->head_content_length = text->size();
    text->clear();
  }
}

class RegistryApi : public http::Handler {
 public:
  RegistryApi(BlobBackend* blobs, ManifestBackend* manifests, const config::v1::Limits& limits,
              const std::shared_ptr<prometheus::Registry>& registry)
      : blob_(blobs, manifests),
        catalog_(manifests),
        manifest_(manifests, limits.manifest_bytes_max()),
        referrers_(manifests),
        tag_list_(manifests),
        upload_(blobs, manifests, limits.blob_bytes_max()),
        uploads_(blobs, manifests, limits.blob_bytes_max(), registry) {}

  awaitable<http::Response> Handle(http::Request& request) override {
    absl::string_view label = "other";
    absl::StatusOr<http::Response> result = co_await Answer(request, &label);
    http::Response response = result.ok() ? *std::move(result) : ErrorResponse(result.status(), request.request_id);
    response.route = label;
    AddVersion(&response);
    if (request.method == "HEAD") RemoveBody(&response);
    co_return response;
  }

  http::Response Refuse(int status, absl::string_view message) override {
    http::Response response = ErrorResponse(HttpError(status, OciErrorCode::kUnsupported, message), "");
    AddVersion(&response);
    return response;
  }

 private:
  // Docker's clients tell a registry by it.
  static void AddVersion(http::Response* response) {
    response->fields.emplace_back("Docker-Distribution-Api-Version", "registry/2.0");
  }

  HandlerResult Answer(http::Request& request, absl::string_view* label) {
    std::string decoded;
    CO_ASSIGN_OR_RETURN(const Route route, ParseRoute(request.path, &decoded));
    const RouteInfo& info = GetRouteInfo(route.family);
    *label = info.label;
    if (!info.Allows(request.method)) co_return MethodNotAllowed(info);
    if (route.family == RouteFamily::kBase) co_return BaseResponse();
    if (route.family == RouteFamily::kCatalog) {
      const CallContext call{request.request_id};
      co_return co_await catalog_.Handle(request, call);
    }
    CO_ASSIGN_OR_RETURN(RepositoryName repository, RepositoryName::Parse(route.repository));
    RegistryRequest registry_request{request, {request.request_id}, std::move(repository), route.argument};
    co_return co_await Dispatch(route.family, registry_request);
  }

  // Not a coroutine: hands the handler's on.
  HandlerResult Dispatch(RouteFamily family, RegistryRequest& request) {
    switch (family) {
      case RouteFamily::kBlob:
        return blob_.Handle(request);
      case RouteFamily::kUploads:
        return uploads_.Handle(request);
      case RouteFamily::kUpload:
        return upload_.Handle(request);
      case RouteFamily::kManifest:
        return manifest_.Handle(request);
      case RouteFamily::kTags:
        return tag_list_.Handle(request);
      case RouteFamily::kReferrers:
        return referrers_.Handle(request);
      case RouteFamily::kBase:
      case RouteFamily::kCatalog:
        break;
    }
    std::abort();
  }

  const BlobHandler blob_;
  const CatalogHandler catalog_;
  const ManifestHandler manifest_;
  const ReferrersHandler referrers_;
  const TagListHandler tag_list_;
  const UploadHandler upload_;
  const UploadsHandler uploads_;
};

}  // namespace

std::unique_ptr<http::Handler> MakeRegistryApi(BlobBackend* blobs, ManifestBackend* manifests,
                                               const config::v1::Limits& limits,
                                               const std::shared_ptr<prometheus::Registry>& registry) {
  return std::make_unique<RegistryApi>(blobs, manifests, limits, registry);
}

}  // namespace entrepot::gateway::api
