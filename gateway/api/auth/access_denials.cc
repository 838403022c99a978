#include "gateway/api/auth/access_denials.h"

#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/api/auth/auth_challenge.h"
#include "gateway/api/request/error_response.h"
#include "gateway/http/forwarded_fields.h"
#include "services/core/access_scope.h"
#include "services/core/client_network.h"
#include "services/runtime/log/limited_log.h"
#include "services/status/oci_error.h"
#include "services/status/quoted_input.h"

namespace entrepot::gateway::api {
namespace {

// In the order of the enum.
constexpr std::array<const char*, 4> kReasonLabels = {"missing_token", "invalid_token", "insufficient_scope", "policy"};

constexpr std::chrono::minutes kPlainRealmLogInterval{1};

// The error of RFC 6750 section 3.1; none if no token was sent.
absl::string_view ChallengeError(DenialReason reason) {
  return reason == DenialReason::kMissingToken ? "" : kReasonLabels[static_cast<size_t>(reason)];
}

std::string Describe(const RequiredAccess& required) {
  switch (required.permission) {
    case Permission::kNone:
    case Permission::kAnyToken:
      return "a token";
    case Permission::kPull:
      return absl::StrCat("pull on repository ", required.repository);
    case Permission::kPush:
      if (!required.mount_source.empty()) {
        return absl::StrCat("push on repository ", required.repository, ", with a token requested for pull on ",
                            required.mount_source);
      }
      return absl::StrCat("push on repository ", required.repository);
    case Permission::kDelete:
      return absl::StrCat("delete on repository ", required.repository);
    case Permission::kCatalog:
      return std::string(kCatalogScope);
    case Permission::kAdmin:
      return std::string(kAdministrationScope);
  }
  return "";
}

// What the account may not do: `push to "driftwood/web"`.
std::string DescribeAction(const RequiredAccess& required) {
  switch (required.permission) {
    case Permission::kNone:
    case Permission::kAnyToken:
      return "do this";
    case Permission::kPull:
      return absl::StrCat("pull from \"", required.repository, "\"");
    case Permission::kPush:
      return absl::StrCat("push to \"", required.repository, "\"");
    case Permission::kDelete:
      return absl::StrCat("delete in \"", required.repository, "\"");
    case Permission::kCatalog:
      return "list repositories";
    case Permission::kAdmin:
      return "administer the registry";
  }
  return "";
}

std::string DescribeGrant(const RequiredAccess& required, const AccessToken& token) {
  if (required.permission == Permission::kCatalog || required.permission == Permission::kAdmin)
    return "the token does not grant it";
  const std::vector<std::string> actions = token.ActionsOn(required.repository);
  if (actions.empty()) return "the token grants nothing there";
  return absl::StrCat("the token grants ", absl::StrJoin(actions, ", "), " there");
}

// The scopes to request for a token that would suffice.
std::string Scopes(const RequiredAccess& required) {
  std::string scopes = RequiredScope(required.permission, required.repository);
  if (!required.mount_source.empty())
    absl::StrAppend(&scopes, " ", RequiredScope(Permission::kPull, required.mount_source));
  return scopes;
}

std::string HintForPlainRealm(const http::Request& request) {
  if (request.is_from_trusted_proxy) {
    return "the connection comes from one of listen.trusted_proxies, but the header listen.forwarded_header has no "
           "scheme: let the proxy send X-Forwarded-Proto, or set listen.external_url";
  }
  return absl::StrCat("a header has the scheme https, but is ignored, because the connection comes from ",
                      request.remote_address,
                      ", which is not in listen.trusted_proxies: add the address if it is your proxy's, or set "
                      "listen.external_url");
}

absl::Status ToStatus(const RequiredAccess& required, DenialReason reason, const absl::Status& why,
                      const AccessToken* token) {
  const std::string prefix = absl::StrCat("needed: ", Describe(required), "; ");
  switch (reason) {
    case DenialReason::kMissingToken:
      return OciError(OciErrorCode::kUnauthorized, "authentication is required", prefix + "no token was sent");
    case DenialReason::kInvalidToken:
      return OciError(OciErrorCode::kUnauthorized, why.message(), prefix + "the token was not accepted");
    case DenialReason::kInsufficientScope:
      if (!why.ok()) return OciError(OciErrorCode::kDenied, why.message(), prefix + DescribeGrant(required, *token));
      break;
    case DenialReason::kPolicy:
      break;
  }
  return OciError(OciErrorCode::kUnauthorized, "the token does not allow this",
                  prefix + DescribeGrant(required, *token));
}

}  // namespace

AccessDenials::AccessDenials(std::string external_url, runtime::AuditLog* audit,
                             const std::shared_ptr<prometheus::Registry>& registry)
    : external_url_(std::move(external_url)), audit_(audit) {
  auto& denied = prometheus::BuildCounter()
                     .Name("entrepot_authorization_denied_total")
                     .Help("Requests denied, because the token is missing, invalid or too narrow, or by policy")
                     .Register(*registry);
  for (size_t i = 0; i < counters_.size(); ++i) counters_[i] = &denied.Add({{"reason", kReasonLabels[i]}});
}

http::Response AccessDenials::Deny(const http::Request& request, const RequiredAccess& required, DenialReason reason,
                                   absl::string_view service, const absl::Status& why, const AccessToken* token) const {
  const absl::Status status = ToStatus(required, reason, why, token);
  const std::string detail = GetOciErrorDetail(status);
  Record(request, required, reason, why.ok() ? absl::string_view(detail) : why.message(), token);
  http::Response response = ErrorResponse(status, request.request_id);
  const bool is_in_vain = absl::IsPermissionDenied(status);
  if (is_in_vain && request.method != "HEAD") return response;
  response.status = 401;
  const BearerChallenge challenge{absl::StrCat(BaseUrl(external_url_, request), "/token"), std::string(service),
                                  Scopes(required), std::string(ChallengeError(reason)),
                                  is_in_vain ? std::string(status.message()) : ""};
  if (external_url_.empty() && !request.is_tls) WarnOfPlainRealm(request, challenge.realm);
  response.fields.emplace_back("WWW-Authenticate", ToHeaderValue(challenge));
  return response;
}

absl::Status AccessDenials::WhyInVain(const RequiredAccess& required, const AccessToken& token) {
  const absl::string_view reason = token.WhyDenied(required.permission, required.repository);
  if (reason.empty() || token.caller().account.empty()) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat("account ", QuotedInput(token.caller().account), " may not ",
                                                  DescribeAction(required), ": ", reason));
}

void AccessDenials::WarnOfPlainRealm(const http::Request& request, absl::string_view realm) const {
  if (!http::MayHideTls(request)) return;
  runtime::LogLimited(runtime::LogLevel::kWarning, "a client behind a proxy was sent to an http:// realm", "",
                      {{"hint", HintForPlainRealm(request)},
                       {"realm", realm},
                       {"remote_address", request.remote_address},
                       {"request_id", request.request_id}},
                      kPlainRealmLogInterval);
}

void AccessDenials::RecordPolicyDenial(const http::Request& request, const RequiredAccess& required,
                                       const absl::Status& why, const AccessToken& token) const {
  Record(request, required, DenialReason::kPolicy, why.message(), &token);
}

void AccessDenials::Record(const http::Request& request, const RequiredAccess& required, DenialReason reason,
                           absl::string_view why, const AccessToken* token) const {
  counters_[static_cast<size_t>(reason)]->Increment();
  if (audit_ == nullptr || reason == DenialReason::kMissingToken) return;
  const std::string text = Describe(required);
  const absl::string_view account = token == nullptr ? absl::string_view() : token->caller().account;
  const absl::string_view label = kReasonLabels[static_cast<size_t>(reason)];
  audit_->WriteLimited("access", absl::StrCat(ClientNetwork(request.remote_address), " ", label, " ", account),
                       {{"account", account},
                        {"address", request.remote_address},
                        {"needed", text},
                        {"decision", "denied"},
                        {"reason", label},
                        {"detail", why},
                        {"request_id", request.request_id}});
}

}  // namespace entrepot::gateway::api
