#include "services/auth/token_issuer.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "services/auth/accounts/permissions.h"
#include "services/auth/denied_scopes.h"
#include "services/core/text/lower_hex.h"
#include "services/core/time/proto_time.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"
#include "services/token/json_web_token.h"

namespace entrepot::auth {
namespace {

constexpr size_t kTokenIdBytes = 16;

// The valid scopes. Scopes of the same name are merged.
absl::StatusOr<std::vector<AccessScope>> ParseRequested(const v1::IssueTokenRequest& request) {
  std::vector<std::string> good;
  for (const std::string& scopes : request.scopes()) {
    for (const absl::string_view text : absl::StrSplit(scopes, ' ', absl::SkipEmpty())) {
      if (AccessScope::Parse(text).ok()) good.emplace_back(text);
    }
  }
  return ParseAccessScopes(absl::StrJoin(good, " "));
}

// The granted scopes, without those that have no action.
std::vector<AccessScope> WithActions(std::vector<AccessScope> scopes) {
  std::erase_if(scopes, [](const AccessScope& scope) { return scope.actions.empty(); });
  return scopes;
}

absl::Time WholeSeconds(absl::Time time) { return absl::FromUnixSeconds(absl::ToUnixSeconds(time)); }

// No longer than the credential is valid, but at least as long as clients may rely on (Distribution's token
// specification, "expires_in").
absl::Duration LifetimeFor(const Account& account, absl::Time now, absl::Duration longest) {
  return std::min(longest, std::max(absl::Seconds(60), WholeSeconds(account.expires_at) - now));
}

}  // namespace

absl::StatusOr<v1::IssueTokenResponse> TokenIssuer::IssueToken(const v1::IssueTokenRequest& request) {
  RETURN_IF_ERROR(CheckService(request.service()));
  ASSIGN_OR_RETURN(const std::vector<AccessScope> requested, ParseRequested(request));
  ASSIGN_OR_RETURN(const Account account, parts_.authenticator->Authenticate(request));

  const std::shared_ptr<const policy::Policy> policy = parts_.policy->current();
  std::vector<AccessScope> granted = GrantScopes(*policy, account, requested);
  std::vector<token::DeniedScope> denied = DeniedScopes(*policy, account, requested, granted);
  const absl::Time now = WholeSeconds(parts_.clock->Now());
  const absl::Duration lifetime = LifetimeFor(account, now, parts_.lifetime);
  v1::IssueTokenResponse response;
  response.set_scope(JoinAccessScopes(WithActions(granted)));
  ASSIGN_OR_RETURN(*response.mutable_token(), Sign(account, now, lifetime, std::move(granted), std::move(denied)));
  ASSIGN_OR_RETURN(*response.mutable_refresh_token(), RefreshTokenFor(request, account));
  response.set_expires_in_seconds(static_cast<uint32_t>(absl::ToInt64Seconds(lifetime)));
  *response.mutable_issued_at() = ToTimestamp(now);
  parts_.metrics->CountToken();
  parts_.audit->Token(request, account.name(), JoinAccessScopes(requested), response.scope());
  return response;
}

absl::Status TokenIssuer::CheckService(const std::string& service) const {
  // Clients repeat the service of the challenge, or send none.
  if (service.empty() || service == parts_.service) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("this registry's service is ", QuotedInput(parts_.service), ", not ", QuotedInput(service)));
}

absl::StatusOr<std::string> TokenIssuer::Sign(const Account& account, absl::Time now, absl::Duration lifetime,
                                              std::vector<AccessScope> granted,
                                              std::vector<token::DeniedScope> denied) const {
  ASSIGN_OR_RETURN(const token::SigningKey key, parts_.keys->Active());
  token::RegistryClaims claims{.issuer = parts_.issuer,
                               .subject = account.name(),
                               .groups = account.subject.groups,
                               .audience = parts_.service,
                               .issued_at = now,
                               .not_before = now,
                               .expires_at = now + lifetime,
                               .id = RandomLowerHex(kTokenIdBytes),
                               .access = std::move(granted),
                               .denied = std::move(denied)};
  std::string token = token::IssueRegistryToken(key, claims);
  if (token.size() > token::kTokenBytesMax && !claims.denied.empty()) {
    claims.denied.clear();
    token = token::IssueRegistryToken(key, claims);
  }
  if (token.size() > token::kTokenBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("a token for these scopes would have ", token.size(),
                                                   " bytes, more than ", token::kTokenBytesMax,
                                                   " (a fixed limit): request fewer scopes at once"));
  }
  return token;
}

absl::StatusOr<std::string> TokenIssuer::RefreshTokenFor(const v1::IssueTokenRequest& request, const Account& account) {
  if (request.credential_case() == v1::IssueTokenRequest::kRefreshToken) return request.refresh_token();
  if (!request.offline() || account.credential_sha256.empty()) return std::string();
  return parts_.refresh_tokens->Issue({.account = account.name(),
                                       .client_id = request.client_id().substr(0, 256),
                                       .credential_sha256 = account.credential_sha256});
}

}  // namespace entrepot::auth
