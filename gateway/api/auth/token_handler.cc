#include "gateway/api/auth/token_handler.h"

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "gateway/api/auth/authorization_header.h"
#include "gateway/api/auth/token_form.h"
#include "gateway/api/request/body_reader.h"
#include "gateway/api/request/content_type.h"
#include "gateway/api/request/error_response.h"
#include "services/core/access_scope.h"
#include "services/core/repository_name.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

using auth::v1::IssueTokenRequest;
using auth::v1::IssueTokenResponse;
using boost::asio::awaitable;

// A credential of 32 KiB and 64 KiB of scopes, with most characters percent-encoded.
constexpr size_t kFormBytesMax = 256 << 10;
constexpr absl::string_view kForm = "application/x-www-form-urlencoded";

absl::StatusOr<IssueTokenRequest> ReadGet(const http::Request& request, const TokenRequestLimits& limits) {
  ASSIGN_OR_RETURN(const Query query, ParseForm(request.query));
  ASSIGN_OR_RETURN(const std::optional<Authorization> authorization, ReadAuthorization(request));
  return ReadTokenQuery(query, authorization, limits);
}

absl::Status CheckPost(const http::Request& request) {
  ASSIGN_OR_RETURN(const Query query, ParseForm(request.query));
  if (HoldsCredential(query)) return absl::InvalidArgumentError("a credential in the query is refused");
  if (HasContentType(request, kForm)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the Content-Type must be ", kForm));
}

awaitable<absl::StatusOr<IssueTokenRequest>> ReadPost(http::Request& request, const TokenRequestLimits& limits) {
  CO_RETURN_IF_ERROR(CheckPost(request));
  CO_ASSIGN_OR_RETURN(const WholeBody body, co_await ReadWholeBody(request, kFormBytesMax, OciErrorCode::kUnsupported));
  CO_ASSIGN_OR_RETURN(const Query form, ParseForm(body.bytes));
  co_return ReadTokenForm(form, limits);
}

awaitable<absl::StatusOr<IssueTokenRequest>> Read(http::Request& request, const TokenRequestLimits& limits) {
  if (request.method == "POST") co_return co_await ReadPost(request, limits);
  co_return ReadGet(request, limits);
}

// With the fields of both specifications.
std::string ToJson(const IssueTokenResponse& issued, bool is_post) {
  boost::json::object body;
  body["token"] = issued.token();
  body["access_token"] = issued.token();
  body["expires_in"] = issued.expires_in_seconds();
  body["issued_at"] =
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(issued.issued_at().seconds()), absl::UTCTimeZone());
  if (!issued.refresh_token().empty()) body["refresh_token"] = issued.refresh_token();
  if (is_post) {
    body["scope"] = issued.scope();
    body["token_type"] = "Bearer";
    body["issued_token_type"] = "urn:ietf:params:oauth:token-type:access_token";
  }
  return boost::json::serialize(body);
}

http::Response Granted(const IssueTokenResponse& issued, bool is_post) {
  http::Response response;
  response.fields.emplace_back("Content-Type", "application/json");
  response.body = ToJson(issued, is_post);
  return response;
}

// The error code of RFC 6749 section 5.2; "" if there is none for the status.
absl::string_view OAuthError(int http_status) {
  if (http_status == 400 || http_status == 413) return "invalid_request";
  return http_status == 401 ? "invalid_grant" : "";
}

http::Response Refused(absl::Status status, bool is_post, absl::string_view request_id) {
  if (absl::IsInvalidArgument(status) && !GetOciErrorCode(status).has_value()) {
    status = HttpError(400, OciErrorCode::kUnsupported, status.message());
  }
  http::Response response = ErrorResponse(status, request_id);
  if (response.status == 401) response.fields.emplace_back("WWW-Authenticate", "Basic realm=\"entrepot\"");
  const absl::string_view error = OAuthError(response.status);
  if (is_post && !error.empty()) {
    // Before the members that ErrorResponse() wrote.
    std::get<std::string>(response.body).insert(1, absl::StrCat("\"error\":\"", error, "\","));
  }
  return response;
}

// Adds the scopes of the cached repositories that requests for these repositories may be for.
void AddCachedScopes(const CachedRepositories& cached, IssueTokenRequest* request) {
  for (int i = 0, count = request->scopes_size(); i < count; ++i) {
    const absl::StatusOr<AccessScope> scope = AccessScope::Parse(request->scopes(i));
    if (!scope.ok() || scope->type != "repository" || !scope->Allows("pull")) continue;
    const absl::StatusOr<RepositoryName> repository = RepositoryName::Parse(scope->name);
    if (!repository.ok()) continue;
    for (const RepositoryName& also : cached.AlsoMeant(*repository)) {
      request->add_scopes(absl::StrCat("repository:", also.ToString(), ":pull"));
    }
  }
}

}  // namespace

HandlerResult TokenHandler::Handle(http::Request& request, const CallContext& call) const {
  const bool is_post = request.method == "POST";
  const absl::StatusOr<IssueTokenResponse> issued = co_await Issue(request, call);
  http::Response response =
      issued.ok() ? Granted(*issued, is_post) : Refused(issued.status(), is_post, request.request_id);
  response.fields.emplace_back("Cache-Control", "no-store");
  co_return response;
}

awaitable<absl::StatusOr<IssueTokenResponse>> TokenHandler::Issue(http::Request& request,
                                                                  const CallContext& call) const {
  CO_ASSIGN_OR_RETURN(IssueTokenRequest wanted, co_await Read(request, limits_));
  if (cached_ != nullptr) AddCachedScopes(*cached_, &wanted);
  wanted.set_remote_address(std::string(request.remote_address));
  co_return co_await auth_->IssueToken(call, wanted);
}

}  // namespace entrepot::gateway::api
