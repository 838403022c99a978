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
#include "gateway/api/admin/upstreams_handler.h"
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
#include "gateway/api/upstream/cached_content.h"
#include "gateway/api/upstream/cached_repositories.h"
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

// 405 with those methods in `info` for which `is_allowed` returns true.
template <typename IsAllowed>
http::Response MethodNotAllowed(const RouteInfo& info, absl::string_view message, IsAllowed is_allowed) {
  std::string allow;
  for (const RouteMethod& method : info.methods) {
    if (is_allowed(method.name)) absl::StrAppend(&allow, allow.empty() ? "" : ", ", method.name);
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

bool IsContent(RouteFamily family) { return family == RouteFamily::kBlob || family == RouteFamily::kManifest; }

bool IsContentDelete(const Route& route, absl::string_view method) {
  return method == "DELETE" && IsContent(route.family);
}

// Whether the route may be one of a cached repository: those of the distribution API may.
bool MayBeCached(RouteFamily family) {
  switch (family) {
    case RouteFamily::kBlob:
    case RouteFamily::kUploadStart:
    case RouteFamily::kUploadSession:
    case RouteFamily::kManifest:
    case RouteFamily::kTagList:
    case RouteFamily::kReferrers:
      return true;
    default:
      return false;
  }
}

// Whether a cached repository supports the method: it may be read, and content may be deleted from it.
bool IsAllowedOnCache(RouteFamily family, absl::string_view method) {
  if (family == RouteFamily::kUploadStart || family == RouteFamily::kUploadSession) return false;
  return IsSafe(method) || (method == "DELETE" && IsContent(family));
}

// By this field, an administrator writes to a cached repository, and reads what is stored there without the upstream.
constexpr absl::string_view kImportField = "Entrepot-Import";

// Whether the method is one of those that an import needs.
bool IsPartOfImport(RouteFamily family, absl::string_view method) {
  if (family == RouteFamily::kUploadStart || family == RouteFamily::kUploadSession) return true;
  return IsContent(family) && (IsSafe(method) || (family == RouteFamily::kManifest && method == "PUT"));
}

// Whether the caller gets nothing of what it asked for: there is no such content, or it may not read it.
bool IsAbsentOrDenied(const absl::StatusOr<http::Response>& result) {
  if (!result.ok()) return absl::IsNotFound(result.status());
  return result->status == 401 || result->status == 403;
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
              const RegistryAccounts& accounts, const RegistryUpstreams& upstreams)
      : browser_guard_(listen, accounts.auth != nullptr),
        deletes_disabled_(limits.deletes_disabled()),
        manifests_(manifests),
        list_turns_(limits.list_requests_waiting_max(), registry) {
    if (upstreams.backend != nullptr) {
      cached_ = std::make_unique<CachedContent>(manifests, upstreams.backend, registry);
      cached_repositories_ = std::make_unique<CachedRepositories>(upstreams.current, listen);
    }
    AddDistributionRoutes(blobs, manifests, limits, registry, accounts.auth);
    handlers_.Add(RouteFamily::kMaintenance, MaintenanceHandler(manifests));
    handlers_.Add(RouteFamily::kUpstreams, UpstreamsHandler(upstreams.backend));
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
  // The repository that a request is for.
  struct Target {
    RepositoryName repository;
    bool is_cached;
    // CallContext::cache_of.
    std::string cache_of = {};
  };

  // The OCI distribution API.
  void AddDistributionRoutes(BlobBackend* blobs, ManifestBackend* manifests, const config::v1::Limits& limits,
                             const std::shared_ptr<prometheus::Registry>& registry, AuthBackend* auth) {
    const uint64_t blob_bytes_max = limits.blob_bytes_max();
    handlers_.Add(RouteFamily::kBase, BaseHandler());
    handlers_.Add(RouteFamily::kRepositoryList, RepositoryListHandler(manifests, auth, &list_turns_));
    handlers_.Add(RouteFamily::kBlob, BlobHandler(blobs, manifests, limits.ranges_max(), cached_.get()));
    handlers_.Add(RouteFamily::kUploadStart, UploadStartHandler(blobs, manifests, blob_bytes_max, registry));
    handlers_.Add(RouteFamily::kUploadSession, UploadSessionHandler(blobs, manifests, blob_bytes_max));
    handlers_.Add(RouteFamily::kManifest, ManifestHandler(manifests, &manifest_bodies_, &large_puts_,
                                                          limits.manifest_bytes_max(), cached_.get()));
    handlers_.Add(RouteFamily::kTagList, TagListHandler(manifests, &list_turns_, cached_.get()));
    handlers_.Add(RouteFamily::kReferrers, ReferrersHandler(manifests, &list_turns_, cached_.get()));
  }

  // The routes of a registry with accounts.
  void AddAccountRoutes(ManifestBackend* manifests, const config::v1::Limits& limits,
                        const RegistryAccounts& accounts) {
    const TokenRequestLimits token_limits{.credential_bytes_max = limits.credential_bytes_max(),
                                          .scopes_max = limits.scopes_max()};
    handlers_.Add(RouteFamily::kToken, TokenHandler(accounts.auth, token_limits, cached_repositories_.get()));
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
    const auto every = [](absl::string_view) { return true; };
    if (method == nullptr) co_return MethodNotAllowed(info, "this endpoint does not support the method", every);
    if (deletes_disabled_ && IsContentDelete(route, request.method)) {
      co_return MethodNotAllowed(info, "this registry's configuration disables deleting",
                                 [](absl::string_view name) { return name != "DELETE"; });
    }
    // An invalid name is refused whether or not the caller may read anything.
    std::optional<RepositoryName> repository;
    if (info.pattern.has_repository()) {
      CO_ASSIGN_OR_RETURN(repository, RepositoryName::Parse(route.repository));
    }
    const Permission permission = method->permission;
    if (cached_ == nullptr || !MayBeCached(route.family)) {
      co_return co_await AnswerHosted(request, route, permission, std::move(repository));
    }
    co_return co_await AnswerMapped(request, route, permission, *std::move(repository));
  }

  // `path` is the repository's name in the request; it may stand for a cached one. `route` must outlive the result.
  HandlerResult AnswerMapped(http::Request& request, const Route& route, Permission permission, RepositoryName path) {
    CO_ASSIGN_OR_RETURN(std::optional<RepositoryName> cached, cached_repositories_->Find(request, path));
    if (cached.has_value()) {
      if (request.Find(kImportField).has_value() && IsPartOfImport(route.family, request.method)) {
        co_return co_await AnswerImport(request, route, *std::move(cached));
      }
      if (!IsAllowedOnCache(route.family, request.method)) co_return NoPush(route.family, *cached);
      co_return co_await AnswerCached(request, route, permission, *std::move(cached));
    }
    std::optional<RepositoryName> of_default;
    if (IsContent(route.family) && IsSafe(request.method)) of_default = cached_repositories_->OfDefault(path);
    if (!of_default.has_value()) co_return co_await AnswerHosted(request, route, permission, std::move(path));
    co_return co_await AnswerHostedOrDefault(request, route, permission, std::move(path), *std::move(of_default));
  }

  http::Response NoPush(RouteFamily family, const RepositoryName& cached) const {
    return MethodNotAllowed(
        GetRouteInfo(family),
        absl::StrCat("the repository ", cached.ToString(), " is a cache of an upstream: nothing can be pushed to it"),
        [&](absl::string_view name) {
          return IsAllowedOnCache(family, name) && !(deletes_disabled_ && name == "DELETE");
        });
  }

  // Without a repository the request is about the registry as a whole. `route` must outlive the result.
  HandlerResult AnswerHosted(http::Request& request, const Route& route, Permission permission,
                             std::optional<RepositoryName> repository) {
    std::optional<Target> target;
    if (repository.has_value()) target = Target{*std::move(repository), /*is_cached=*/false};
    if (access_ == nullptr) return Dispatch(request, route, std::move(target), nullptr);
    std::string source = route.family == RouteFamily::kUploadStart ? MountSource(request.query) : "";
    return AnswerAllowed(request, route, {permission, route.repository}, std::move(source), std::move(target));
  }

  // A request of an import into a cached repository. `route` must outlive the result.
  HandlerResult AnswerImport(http::Request& request, const Route& route, RepositoryName repository) {
    const std::string name = repository.ToString();
    // The first component of the name of a cache is its upstream.
    std::optional<Target> target = Target{std::move(repository), /*is_cached=*/false, name.substr(0, name.find('/'))};
    if (access_ == nullptr) co_return co_await Dispatch(request, route, std::move(target), nullptr);
    co_return co_await AnswerAllowed(request, route, {Permission::kAdmin, name}, "", std::move(target));
  }

  HandlerResult AnswerCached(http::Request& request, const Route& route, Permission permission,
                             RepositoryName repository) {
    std::optional<Target> target = Target{repository, /*is_cached=*/true};
    if (access_ == nullptr) co_return co_await Dispatch(request, route, std::move(target), nullptr);
    co_return co_await AnswerAllowed(request, route, {permission, repository.ToString()}, "", std::move(target));
  }

  // A read of content of `hosted`. If this registry has no repository of that name, and the caller may read `cached`,
  // the repository of the default upstream, it is answered from there. Otherwise as without a default upstream.
  HandlerResult AnswerHostedOrDefault(http::Request& request, const Route& route, Permission permission,
                                      RepositoryName hosted, RepositoryName cached) {
    const auto find_token = [&](const RepositoryName& repository) -> Token {
      return access_ == nullptr ? nullptr : access_->FindSufficient(request, {permission, repository.ToString()});
    };
    Token token = find_token(cached);
    // So that not every request of a caller who may only read the cache is recorded as a denial.
    const bool only_cached = token != nullptr && find_token(hosted) == nullptr;
    std::optional<absl::StatusOr<http::Response>> refusal;
    if (!only_cached) {
      refusal = co_await AnswerHosted(request, route, permission, hosted);
      if (!IsAbsentOrDenied(*refusal)) co_return *std::move(refusal);
      if (access_ != nullptr && token == nullptr) token = find_token(cached);  // Known by now.
      if (access_ != nullptr && token == nullptr) co_return *std::move(refusal);
    }
    CallContext call{.request_id = request.request_id};
    if (token != nullptr) call.caller = token->caller();
    bool may_ask = !co_await IsHere(call, hosted);
    // A pull begins with a manifest. A blob of an image that was never asked for is one that a push looks for; the
    // upstream must not hear of it.
    if (may_ask && route.family == RouteFamily::kBlob) may_ask = co_await IsHere(call, cached);
    if (!may_ask) {
      if (!refusal.has_value()) refusal = co_await AnswerHosted(request, route, permission, hosted);
      co_return *std::move(refusal);
    }
    absl::StatusOr<http::Response> answer = co_await AnswerCached(request, route, permission, cached);
    // Whatever the upstream's failure is, this registry does not have the content.
    if (!answer.ok() && refusal.has_value()) co_return *std::move(refusal);
    co_return answer;
  }

  // Whether this registry has a repository of that name.
  awaitable<bool> IsHere(const CallContext& call, const RepositoryName& repository) {
    const absl::StatusOr<TagPage> tags = co_await manifests_->ListTags(call, repository, 1, "");
    co_return !absl::IsNotFound(tags.status());
  }

  // `route` and the repository of `required` must outlive the result.
  HandlerResult AnswerAllowed(http::Request& request, const Route& route, RequiredAccess required,
                              std::string mount_source, std::optional<Target> target) {
    required.mount_source = mount_source;
    const bool is_cached = target.has_value() && target->is_cached;
    Token token = access_->FindSufficient(request, required);
    if (token == nullptr) {
      AccessControl::Decision decision = co_await access_->Decide(request, required);
      if (auto* denial = std::get_if<http::Response>(&decision)) co_return std::move(*denial);
      token = std::get<Token>(std::move(decision));
    }
    absl::StatusOr<http::Response> result = co_await Dispatch(request, route, std::move(target), token.get());
    // An upstream that refuses to give something has not denied the caller's request to this registry.
    const bool is_denied =
        absl::IsUnauthenticated(result.status()) || (absl::IsPermissionDenied(result.status()) && !is_cached);
    if (token != nullptr && is_denied) {
      co_return co_await access_->DeniedByService(request, required, result.status(), *token);
    }
    co_return result;
  }

  HandlerResult Dispatch(http::Request& request, const Route& route, std::optional<Target> target,
                         const AccessToken* token) {
    CallContext call{.request_id = request.request_id, .remote_address = request.remote_address};
    if (token != nullptr) {
      call.caller = token->caller();
      request.account = call.caller.account;
    }
    if (!target.has_value()) co_return co_await handlers_.ForRegistry(route.family)(request, call);
    call.cache_of = std::move(target->cache_of);
    RegistryRequest registry_request{request,        std::move(call), std::move(target->repository),
                                     route.argument, token,           target->is_cached};
    co_return co_await handlers_.ForRepository(route.family)(registry_request);
  }

  const BrowserGuard browser_guard_;
  const SystemClock system_clock_;
  const bool deletes_disabled_;
  ManifestBackend* const manifests_;
  std::unique_ptr<AccessControl> access_;  // Null without accounts.
  // Both null without upstreams.
  std::unique_ptr<CachedContent> cached_;
  std::unique_ptr<CachedRepositories> cached_repositories_;
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
                                               const RegistryAccounts& accounts, const RegistryUpstreams& upstreams) {
  return std::make_unique<RegistryApi>(blobs, manifests, listen, limits, registry, accounts, upstreams);
}

}  // namespace entrepot::gateway::api
