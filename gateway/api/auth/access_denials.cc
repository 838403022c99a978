#include "gateway/api/auth/access_denials.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/api/auth/auth_challenge.h"
#include "gateway/api/request/error_response.h"
#include "services/core/access_scope.h"
#include "services/status/oci_error.h"

namespace entrepot::gateway::api {
namespace {

// In the order of the enum.
constexpr std::array<const char*, 4> kReasonLabels = {"missing_token", "invalid_token", "insufficient_scope", "policy"};

// The error of RFC 6750 section 3.1: none where nothing was sent.
absl::string_view ChallengeError(DenialReason reason) {
  return reason == DenialReason::kMissingToken ? "" : kReasonLabels[static_cast<size_t>(reason)];
}

std::string Describe(const NeededAccess& needed) {
  switch (needed.need) {
    case Need::kNothing:
    case Need::kAnyToken:
      return "a token";
    case Need::kPull:
      return absl::StrCat("pull on repository ", needed.repository);
    case Need::kPush:
      if (!needed.mount_source.empty()) {
        return absl::StrCat("push on repository ", needed.repository, ", and to have asked for pull on ",
                            needed.mount_source);
      }
      return absl::StrCat("push on repository ", needed.repository);
    case Need::kDelete:
      return absl::StrCat("delete on repository ", needed.repository);
    case Need::kCatalog:
      return std::string(kCatalogScope);
    case Need::kAdminister:
      return std::string(kAdministrationScope);
  }
  return "";
}

std::string DescribeGrant(const NeededAccess& needed, const VerifiedToken& token) {
  if (needed.need == Need::kCatalog || needed.need == Need::kAdminister) return "the token does not grant it";
  const std::vector<std::string> actions = token.ActionsOn(needed.repository);
  if (actions.empty()) return "the token grants nothing there";
  return absl::StrCat("the token grants ", absl::StrJoin(actions, ", "), " there");
}

// What a token for the request should be asked for.
std::string Scopes(const NeededAccess& needed) {
  std::string scopes = NeededScope(needed.need, needed.repository);
  if (!needed.mount_source.empty()) absl::StrAppend(&scopes, " ", NeededScope(Need::kPull, needed.mount_source));
  return scopes;
}

absl::Status ToStatus(const NeededAccess& needed, DenialReason reason, const absl::Status& why,
                      const VerifiedToken* token) {
  const std::string need = absl::StrCat("needed: ", Describe(needed), "; ");
  switch (reason) {
    case DenialReason::kMissingToken:
      return OciError(OciErrorCode::kUnauthorized, "authentication is required", need + "no token was sent");
    case DenialReason::kInvalidToken:
      return OciError(OciErrorCode::kUnauthorized, why.message(), need + "the token was not accepted");
    case DenialReason::kInsufficientScope:
    case DenialReason::kPolicy:
      break;
  }
  return OciError(OciErrorCode::kUnauthorized, "the token does not allow this", need + DescribeGrant(needed, *token));
}

}  // namespace

AccessDenials::AccessDenials(std::string external_url, runtime::AuditLog* audit,
                             const std::shared_ptr<prometheus::Registry>& registry)
    : external_url_(std::move(external_url)), audit_(audit) {
  auto& denied = prometheus::BuildCounter()
                     .Name("entrepot_authorization_denied_total")
                     .Help("Requests denied: their token was missing, not good or too narrow, or policy forbids it")
                     .Register(*registry);
  for (size_t i = 0; i < counters_.size(); ++i) counters_[i] = &denied.Add({{"reason", kReasonLabels[i]}});
}

http::Response AccessDenials::Deny(const http::Request& request, const NeededAccess& needed, DenialReason reason,
                                   absl::string_view service, const absl::Status& why,
                                   const VerifiedToken* token) const {
  const absl::Status status = ToStatus(needed, reason, why, token);
  const std::string detail = GetOciErrorDetail(status);
  Note(request, needed, reason, why.ok() ? absl::string_view(detail) : why.message(), token);
  http::Response response = ErrorResponse(status, request.request_id);
  const BearerChallenge challenge{absl::StrCat(BaseUrl(external_url_, request), "/token"), std::string(service),
                                  Scopes(needed), std::string(ChallengeError(reason))};
  response.fields.emplace_back("WWW-Authenticate", ToHeaderValue(challenge));
  return response;
}

void AccessDenials::NotePolicy(const http::Request& request, const NeededAccess& needed, const absl::Status& why,
                               const VerifiedToken& token) const {
  Note(request, needed, DenialReason::kPolicy, why.message(), &token);
}

void AccessDenials::Note(const http::Request& request, const NeededAccess& needed, DenialReason reason,
                         absl::string_view why, const VerifiedToken* token) const {
  counters_[static_cast<size_t>(reason)]->Increment();
  if (audit_ == nullptr || reason == DenialReason::kMissingToken) return;
  const std::string needs = Describe(needed);
  const absl::string_view account = token == nullptr ? absl::string_view() : token->caller().account;
  audit_->Write("access", {{"account", account},
                           {"address", request.remote_address},
                           {"needed", needs},
                           {"decision", "denied"},
                           {"reason", kReasonLabels[static_cast<size_t>(reason)]},
                           {"detail", why},
                           {"request_id", request.request_id}});
}

}  // namespace entrepot::gateway::api
