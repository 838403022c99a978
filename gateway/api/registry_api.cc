#include "gateway/api/registry_api.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gateway/api/admin/admin_handler.h"
#include "gateway/api/admin/maintenance_handler.h"
#include "gateway/api/auth/access_control.h"
#include "gateway/api/auth/key_set_handler.h"
#include "gateway/api/auth/token_form.h"
#include "gateway/api/auth/token_handler.h"
#include "gateway/api/browser_guard.h"
#include "gateway/api/content/blob_handler.h"
#include "gateway/api/content/list_turns.h"
#include "gateway/api/content/manifest_bodies.h"
#include "gateway/api/content/manifest_handler.h"
#include "gateway/api/content/referrers_handler.h"
#include "gateway/api/content/repository_handler.h"
#include "gateway/api/content/repository_list_handler.h"
#include "gateway/api/content/tag_list_handler.h"
#include "gateway/api/front_page.h"
#include "gateway/api/request/error_response.h"
#include "gateway/api/request/registry_request.h"
#include "gateway/api/request/route_table.h"
#include "gateway/api/route_handlers.h"
#include "gateway/api/uploads/upload_session_handler.h"
#include "gateway/api/uploads/upload_start_handler.h"
#include "services/core/time/clock.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

using boost::asio::awaitable;
using Token = AccessControl::Token;

// GET /v2/: clients ask whether this is a registry, and whether their token is valid.
class BaseHandler {
 public:
  HandlerResult Handle(http::Request&, const CallContext&) const {
    http::Response response;
    response.fields.emplace_back("Content-Type", "application/json");
    response.body = "{}";
    co_return response;
  }
};

// 405 with the methods in `info`, without `except`.
http::Response MethodNotAllowed(const RouteInfo& info, absl::string_view message, absl::string_view except = "") {
  std::string allow;
  for (const RouteMethod& method : info.methods) {
    if (method.name != except) absl::StrAppend(&allow, allow.empty() ? "" : ", ", method.name);
  }
  http::Response response = ErrorResponse(OciError(OciErrorCode::kUnsupported, message), "");
  response.fields.emplace_back("Allow", std::move(allow));
  return response;
}

// The fields of every response. Docker's clients recognise a registry by the first one. The others are for browsers,
// because responses contain what clients have pushed: they keep it from being read as another type, from running as a
// page of this origin, and from being part of a page of another one.
constexpr absl::string_view kFixedFields =
    "\r\nDocker-Distribution-Api-Version: registry/2.0"
    "\r\nX-Content-Type-Options: nosniff"
    "\r\nContent-Security-Policy: sandbox; default-src 'none'"
    "\r\nCross-Origin-Resource-Policy: same-origin";

// Whether a request with the method changes nothing (RFC 9110 section 9.2.1).
bool IsSafe(absl::string_view method) { return method == "GET" || method == "HEAD" || method == "OPTIONS"; }

bool IsContentDelete(const Route& route, absl::string_view method) {
  return method == "DELETE" && (route.family == RouteFamily::kBlob || route.family == RouteFamily::kManifest);
}

// The response to HEAD is that to GET without its body.
void RemoveBody(http::Response* response) {
  if (response->head_content_length.has_value()) return;
  response->head_content_length = http::BodyLength(response->body);
  response->body = "";
}

class RegistryApi : public http::Handler {
 public:
  RegistryApi(BlobBackend* blobs, ManifestBackend* manifests, const config::v1::PublicEndpoint& listen,
              const config::v1::Limits& limits, const std::shared_ptr<prometheus::Registry>& registry,
              const RegistryAccounts& accounts)
      : browser_guard_(listen, accounts.auth != nullptr),
        deletes_disabled_(limits.deletes_disabled()),
        list_turns_(limits.list_requests_waiting_max(), registry) {
    AddDistributionRoutes(blobs, manifests, limits, registry, accounts.auth);
    handlers_.Add(RouteFamily::kMaintenance, MaintenanceHandler(manifests));
    handlers_.Add(RouteFamily::kFrontPage, FrontPage(listen.external_url(), accounts.auth != nullptr));
    if (accounts.auth != nullptr) {
      const Clock* const clock = accounts.clock == nullptr ? &system_clock_ : accounts.clock;
      access_ = std::make_unique<AccessControl>(
          accounts.auth, clock, AccessControl::Options{listen.external_url(), accounts.keys, accounts.audit}, registry);
      AddAccountRoutes(manifests, limits, accounts);
    }
    handlers_.CheckComplete(access_ != nullptr);
  }

  awaitable<http::Response> Handle(http::Request& request) override {
    absl::string_view label = "other";
    absl::StatusOr<http::Response> result = co_await Answer(request, &label);
    http::Response response = result.ok() ? *std::move(result) : ErrorResponse(result.status(), request.request_id);
    response.route = label;
    response.fixed_fields = kFixedFields;
    if (request.method == "HEAD") RemoveBody(&response);
    co_return response;
  }

  http::Response Refuse(int status, absl::string_view message) override {
    http::Response response = ErrorResponse(HttpError(status, OciErrorCode::kUnsupported, message), "");
    response.fixed_fields = kFixedFields;
    return response;
  }

 private:
  // The OCI distribution API.
  void AddDistributionRoutes(BlobBackend* blobs, ManifestBackend* manifests, const config::v1::Limits& limits,
                             const std::shared_ptr<prometheus::Registry>& registry, AuthBackend* auth) {
    const uint64_t blob_bytes_max = limits.blob_bytes_max();
    handlers_.Add(RouteFamily::kBase, BaseHandler());
    handlers_.Add(RouteFamily::kRepositoryList, RepositoryListHandler(manifests, auth, &list_turns_));
    handlers_.Add(RouteFamily::kBlob, BlobHandler(blobs, manifests, limits.ranges_max()));
    handlers_.Add(RouteFamily::kUploadStart, UploadStartHandler(blobs, manifests, blob_bytes_max, registry));
    handlers_.Add(RouteFamily::kUploadSession, UploadSessionHandler(blobs, manifests, blob_bytes_max));
    handlers_.Add(RouteFamily::kManifest,
                  ManifestHandler(manifests, &manifest_bodies_, &large_puts_, limits.manifest_bytes_max()));
    handlers_.Add(RouteFamily::kTagList, TagListHandler(manifests, &list_turns_));
    handlers_.Add(RouteFamily::kReferrers, ReferrersHandler(manifests, &list_turns_));
  }

  // The routes of a registry with accounts.
  void AddAccountRoutes(ManifestBackend* manifests, const config::v1::Limits& limits,
                        const RegistryAccounts& accounts) {
    const TokenRequestLimits token_limits{.credential_bytes_max = limits.credential_bytes_max(),
                                          .scopes_max = limits.scopes_max()};
    handlers_.Add(RouteFamily::kToken, TokenHandler(accounts.auth, token_limits));
    handlers_.Add(RouteFamily::kKeySet, KeySetHandler(&access_->keys()));
    handlers_.Add(RouteFamily::kAdmin, AdminHandler(accounts.auth));
    handlers_.Add(RouteFamily::kRepository, RepositoryHandler(manifests, accounts.audit));
  }

  HandlerResult Answer(http::Request& request, absl::string_view* label) {
    CO_RETURN_IF_ERROR(browser_guard_.CheckHost(request));
    if (!IsSafe(request.method)) CO_RETURN_IF_ERROR(browser_guard_.CheckOrigin(request));
    std::string decoded;
    CO_ASSIGN_OR_RETURN(const Route route, ParseRoute(request.path, &decoded));
    const RouteInfo& info = GetRouteInfo(route.family);
    // A GET of a token is a login, with a credential that the browser may add by itself.
    if (route.family == RouteFamily::kToken) CO_RETURN_IF_ERROR(browser_guard_.CheckOrigin(request));
    if (info.presence == Presence::kWithAccounts && access_ == nullptr) {
      co_return absl::NotFoundError("this registry has no accounts");
    }
    *label = info.label;
    const RouteMethod* const method = info.Find(request.method);
    if (method == nullptr) co_return MethodNotAllowed(info, "this endpoint does not support the method");
    if (deletes_disabled_ && IsContentDelete(route, request.method)) {
      co_return MethodNotAllowed(info, "this registry's configuration disables deleting", /*except=*/"DELETE");
    }
    // An invalid name is refused whether or not the caller may read anything.
    std::optional<RepositoryName> repository;
    if (info.pattern.has_repository()) {
      CO_ASSIGN_OR_RETURN(repository, RepositoryName::Parse(route.repository));
    }
    if (access_ == nullptr) co_return co_await Dispatch(request, route, std::move(repository), nullptr);
    const std::string source = route.family == RouteFamily::kUploadStart ? MountSource(request.query) : "";
    co_return co_await AnswerAllowed(request, route, {method->permission, route.repository, source},
                                     std::move(repository));
  }

  HandlerResult AnswerAllowed(http::Request& request, const Route& route, RequiredAccess required,
                              std::optional<RepositoryName> repository) {
    Token token = access_->FindSufficient(request, required);
    if (token == nullptr) {
      AccessControl::Decision decision = co_await access_->Decide(request, required);
      if (auto* denial = std::get_if<http::Response>(&decision)) co_return std::move(*denial);
      token = std::get<Token>(std::move(decision));
    }
    absl::StatusOr<http::Response> result = co_await Dispatch(request, route, std::move(repository), token.get());
    if (token != nullptr && (absl::IsUnauthenticated(result.status()) || absl::IsPermissionDenied(result.status()))) {
      co_return co_await access_->DeniedByService(request, required, result.status(), *token);
    }
    co_return result;
  }

  HandlerResult Dispatch(http::Request& request, const Route& route, std::optional<RepositoryName> repository,
                         const AccessToken* token) {
    CallContext call{.request_id = request.request_id, .remote_address = request.remote_address};
    if (token != nullptr) {
      call.caller = token->caller();
      request.account = call.caller.account;
    }
    if (!repository.has_value()) co_return co_await handlers_.ForRegistry(route.family)(request, call);
    RegistryRequest registry_request{request, std::move(call), *std::move(repository), route.argument, token};
    co_return co_await handlers_.ForRepository(route.family)(registry_request);
  }

  const BrowserGuard browser_guard_;
  const SystemClock system_clock_;
  const bool deletes_disabled_;
  std::unique_ptr<AccessControl> access_;  // Null without accounts.
  ListTurns list_turns_;
  ManifestBodies manifest_bodies_;
  runtime::TurnQueue large_puts_{ManifestHandler::kLargePuts};
  RouteHandlers handlers_;
};

}  // namespace

std::unique_ptr<http::Handler> MakeRegistryApi(BlobBackend* blobs, ManifestBackend* manifests,
                                               const config::v1::PublicEndpoint& listen,
                                               const config::v1::Limits& limits,
                                               const std::shared_ptr<prometheus::Registry>& registry,
                                               const RegistryAccounts& accounts) {
  return std::make_unique<RegistryApi>(blobs, manifests, listen, limits, registry, accounts);
}

}  // namespace entrepot::gateway::api
