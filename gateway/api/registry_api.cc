#include "gateway/api/registry_api.h"

#include <cstdlib>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/string_view.h"
#include "gateway/api/account_routes.h"
#include "gateway/api/admin/maintenance_handler.h"
#include "gateway/api/auth/access_control.h"
#include "gateway/api/content/blob_handler.h"
#include "gateway/api/content/manifest_handler.h"
#include "gateway/api/content/referrers_handler.h"
#include "gateway/api/content/repository_list_handler.h"
#include "gateway/api/content/tag_list_handler.h"
#include "gateway/api/request/error_response.h"
#include "gateway/api/request/registry_request.h"
#include "gateway/api/request/route_table.h"
#include "gateway/api/uploads/mount_source.h"
#include "gateway/api/uploads/upload_session_handler.h"
#include "gateway/api/uploads/upload_start_handler.h"
#include "services/core/time/system_clock.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

using boost::asio::awaitable;
using Token = AccessControl::Token;

http::Response BaseResponse() {
  http::Response response;
  response.fields.emplace_back("Content-Type", "application/json");
  response.body = "{}";
  return response;
}

http::Response MethodNotAllowed(absl::string_view message, absl::string_view allow) {
  http::Response response = ErrorResponse(OciError(OciErrorCode::kUnsupported, message), "");
  response.fields.emplace_back("Allow", std::string(allow));
  return response;
}

// The methods without DELETE, which is the last of each.
absl::string_view AllowWithoutDelete(absl::string_view allow) { return allow.substr(0, allow.find(", DELETE")); }

bool IsContentDelete(const Route& route, absl::string_view method) {
  return method == "DELETE" && (route.family == RouteFamily::kBlob || route.family == RouteFamily::kManifest);
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
              const std::shared_ptr<prometheus::Registry>& registry, const RegistryAccounts& accounts)
      : deletes_disabled_(limits.deletes_disabled()),
        blob_(blobs, manifests),
        catalog_(manifests, accounts.auth),
        maintain_(manifests),
        manifest_(manifests, limits.manifest_bytes_max()),
        referrers_(manifests),
        tag_list_(manifests),
        upload_(blobs, manifests, limits.blob_bytes_max()),
        uploads_(blobs, manifests, limits.blob_bytes_max(), registry) {
    if (accounts.auth == nullptr) return;
    const Clock* const clock = accounts.clock == nullptr ? &system_clock_ : accounts.clock;
    access_ = std::make_unique<AccessControl>(
        accounts.auth, clock, AccessControl::Options{accounts.external_url, accounts.keys, accounts.audit}, registry);
    account_routes_ = std::make_unique<AccountRoutes>(accounts.auth, manifests, &access_->keys(), accounts.audit);
  }

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
    if (info.presence == Presence::kWithAccounts && access_ == nullptr) {
      co_return absl::NotFoundError("this registry has no accounts");
    }
    *label = info.label;
    const RouteMethod* const method = info.Find(request.method);
    if (method == nullptr) co_return MethodNotAllowed("this endpoint does not know the method", info.allow);
    if (deletes_disabled_ && IsContentDelete(route, request.method)) {
      co_return MethodNotAllowed("this registry's configuration disables deleting", AllowWithoutDelete(info.allow));
    }
    // What no repository can be called is refused before anybody is asked who may read it.
    std::optional<RepositoryName> repository;
    if (info.path_of == PathOf::kRepository) {
      CO_ASSIGN_OR_RETURN(repository, RepositoryName::Parse(route.repository));
    }
    if (access_ == nullptr) co_return co_await Dispatch(request, route, std::move(repository), nullptr);
    const std::string source = route.family == RouteFamily::kUploads ? MountSource(request.query) : "";
    co_return co_await AnswerAllowed(request, route, {method->need, route.repository, source}, std::move(repository));
  }

  HandlerResult AnswerAllowed(http::Request& request, const Route& route, NeededAccess needed,
                              std::optional<RepositoryName> repository) {
    Token token = access_->FindSufficient(request, needed);
    if (token == nullptr) {
      AccessControl::Decision decision = co_await access_->Decide(request, needed);
      if (auto* denial = std::get_if<http::Response>(&decision)) co_return std::move(*denial);
      token = std::get<Token>(std::move(decision));
    }
    absl::StatusOr<http::Response> result = co_await Dispatch(request, route, std::move(repository), token.get());
    if (token != nullptr && (absl::IsUnauthenticated(result.status()) || absl::IsPermissionDenied(result.status()))) {
      co_return co_await access_->DeniedByService(request, needed, result.status(), *token);
    }
    co_return result;
  }

  HandlerResult Dispatch(http::Request& request, const Route& route, std::optional<RepositoryName> repository,
                         const VerifiedToken* token) {
    CallContext call{request.request_id};
    if (token != nullptr) call.caller = token->caller();
    if (!repository.has_value()) co_return co_await DispatchGlobal(request, route.family, call);
    RegistryRequest registry_request{request, std::move(call), *std::move(repository), route.argument, token};
    co_return co_await DispatchInRepository(route.family, registry_request);
  }

  // Not coroutines: these two hand the handler's on.
  HandlerResult DispatchGlobal(http::Request& request, RouteFamily family, const CallContext& call) {
    switch (family) {
      case RouteFamily::kCatalog:
        return catalog_.Handle(request, call);
      case RouteFamily::kMaintain:
        return maintain_.Handle(request, call);
      case RouteFamily::kToken:
        return account_routes_->token.Handle(request, call);
      case RouteFamily::kKeySet:
        return account_routes_->key_set.Handle(call);
      case RouteFamily::kAdminister:
        return account_routes_->administer.Handle(request, call);
      case RouteFamily::kBase:
        return Base();
      case RouteFamily::kBlob:
      case RouteFamily::kUploads:
      case RouteFamily::kUpload:
      case RouteFamily::kManifest:
      case RouteFamily::kTags:
      case RouteFamily::kReferrers:
      case RouteFamily::kRepository:
        break;
    }
    std::abort();
  }

  HandlerResult DispatchInRepository(RouteFamily family, RegistryRequest& request) {
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
      case RouteFamily::kRepository:
        return account_routes_->repository.Handle(request);
      case RouteFamily::kBase:
      case RouteFamily::kCatalog:
      case RouteFamily::kMaintain:
      case RouteFamily::kToken:
      case RouteFamily::kKeySet:
      case RouteFamily::kAdminister:
        break;
    }
    std::abort();
  }

  static HandlerResult Base() { co_return BaseResponse(); }

  const SystemClock system_clock_;
  const bool deletes_disabled_;
  const BlobHandler blob_;
  const CatalogHandler catalog_;
  const MaintainHandler maintain_;
  const ManifestHandler manifest_;
  const ReferrersHandler referrers_;
  const TagListHandler tag_list_;
  const UploadHandler upload_;
  const UploadsHandler uploads_;
  // Both nullptr where there are no accounts.
  std::unique_ptr<AccessControl> access_;
  std::unique_ptr<AccountRoutes> account_routes_;
};

}  // namespace

std::unique_ptr<http::Handler> MakeRegistryApi(BlobBackend* blobs, ManifestBackend* manifests,
                                               const config::v1::Limits& limits,
                                               const std::shared_ptr<prometheus::Registry>& registry,
                                               const RegistryAccounts& accounts) {
  return std::make_unique<RegistryApi>(blobs, manifests, limits, registry, accounts);
}

}  // namespace entrepot::gateway::api
