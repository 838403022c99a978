#include "services/auth/identity/identity_providers.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/value.hpp"
#include "services/auth/identity/claim_rules.h"
#include "services/auth/identity/key_set_fetch.h"
#include "services/auth/identity/key_set_file.h"
#include "services/auth/identity/remote_key_set.h"
#include "services/policy/subject.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"
#include "services/token/claims.h"
#include "services/token/json_web_token.h"

namespace entrepot::auth {
namespace {

namespace json = boost::json;

using config::v1::IdentityProvider;
using config::v1::Policy;
using token::BadToken;

constexpr size_t kSubjectBytesMax = 255;

std::string LocationOf(const IdentityProvider& provider) {
  if (provider.has_key_set_file()) return absl::StrCat("file ", provider.key_set_file());
  return absl::StrCat(provider.key_set_url(), " ", provider.key_set_ca_file());
}

std::shared_ptr<KeySetSource> SourceByConfiguration(const IdentityProvider& provider, const Clock* clock) {
  if (provider.has_key_set_file()) return std::make_shared<KeySetFile>(provider.key_set_file());
  auto fetch = [url = provider.key_set_url(), ca_file = provider.key_set_ca_file()] {
    return FetchKeySet(url, ca_file);
  };
  return std::make_shared<RemoteKeySet>(provider.name(), std::move(fetch), clock);
}

absl::StatusOr<const IdentityProvider*> FindProvider(const Policy& policy, absl::string_view issuer) {
  for (const IdentityProvider& provider : policy.identity_providers()) {
    if (provider.issuer() == issuer) return &provider;
  }
  return BadToken(
      absl::StrCat("has the issuer ", QuotedInput(issuer), ", which is not an identity provider of this registry"));
}

absl::StatusOr<KeySetSource::Keys> ForClient(absl::StatusOr<KeySetSource::Keys> keys,
                                             const IdentityProvider& provider) {
  // Only the log names the source of the keys: it concerns the operator, not the client.
  if (keys.ok()) return keys;
  return absl::UnavailableError(
      absl::StrCat("the keys of the identity provider ", provider.name(), " are not available"));
}

absl::StatusOr<json::object> VerifySignature(absl::string_view token, const IdentityProvider& provider,
                                             KeySetSource& source) {
  ASSIGN_OR_RETURN(const KeySetSource::Keys keys, ForClient(source.Get(), provider));
  absl::StatusOr<json::object> claims = token::VerifyClaims(token, *keys);
  if (!absl::IsNotFound(claims.status())) return claims;
  ASSIGN_OR_RETURN(const KeySetSource::Keys newer, ForClient(source.GetNewer(), provider));
  claims = token::VerifyClaims(token, *newer);
  if (absl::IsNotFound(claims.status())) return BadToken("is signed with a key that its issuer does not publish");
  return claims;
}

bool Names(const json::value& audiences, absl::string_view audience) {
  const auto is_it = [&](const json::value& value) {
    return value.is_string() && absl::string_view(value.get_string().data(), value.get_string().size()) == audience;
  };
  if (!audiences.is_array()) return is_it(audiences);
  return std::any_of(audiences.get_array().begin(), audiences.get_array().end(), is_it);
}

absl::Status CheckAudience(const json::object& claims, const IdentityProvider& provider) {
  const json::value* const audiences = claims.if_contains("aud");
  if (audiences != nullptr && !provider.audience().empty() && Names(*audiences, provider.audience())) {
    return absl::OkStatus();
  }
  return BadToken(absl::StrCat("is not for the audience ", QuotedInput(provider.audience())));
}

std::string Escaped(absl::string_view subject) {
  std::string escaped;
  for (const char c : subject) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isgraph(byte) && c != '%') {
      escaped += c;
    } else {
      absl::StrAppendFormat(&escaped, "%%%02X", byte);
    }
  }
  return escaped;
}

absl::StatusOr<std::string> AccountOf(const json::object& claims, const IdentityProvider& provider) {
  ASSIGN_OR_RETURN(const std::string subject, token::StringClaim(claims, "sub"));
  const std::string escaped = Escaped(subject);
  if (subject.empty()) return BadToken("has an empty subject");
  if (escaped.size() > kSubjectBytesMax) return BadToken("has a subject that is too long");
  return absl::StrCat(policy::kWorkloadPrefix, provider.name(), ":", escaped);
}

absl::StatusOr<AccessGrant> GrantOf(const IdentityProvider::ClaimRule& rule) {
  std::vector<std::string> actions(rule.actions().begin(), rule.actions().end());
  if (std::find(actions.begin(), actions.end(), "*") != actions.end()) actions = {"pull", "push", "delete"};
  return AccessGrant::Parse(std::vector<std::string>(rule.repositories().begin(), rule.repositories().end()), actions);
}

absl::StatusOr<std::vector<AccessGrant>> GrantsOf(const json::object& claims, const IdentityProvider& provider) {
  std::vector<AccessGrant> grants;
  for (const IdentityProvider::ClaimRule& rule : provider.rules()) {
    if (!MeetsClaims(rule, claims)) continue;
    ASSIGN_OR_RETURN(AccessGrant grant, GrantOf(rule));
    grants.push_back(std::move(grant));
  }
  if (grants.empty()) return BadToken(absl::StrCat("meets no rule of the identity provider ", provider.name()));
  return grants;
}

}  // namespace

IdentityProviders::IdentityProviders(const Clock* clock)
    : IdentityProviders(clock,
                        [clock](const IdentityProvider& provider) { return SourceByConfiguration(provider, clock); }) {}

IdentityProviders::IdentityProviders(const Clock* clock, MakeSource make_source)
    : clock_(*clock), make_source_(std::move(make_source)) {}

absl::StatusOr<WorkloadIdentity> IdentityProviders::Verify(const Policy& policy, absl::string_view token) {
  ASSIGN_OR_RETURN(const std::string issuer, token::UnverifiedIssuer(token));
  ASSIGN_OR_RETURN(const IdentityProvider* const provider, FindProvider(policy, issuer));
  ASSIGN_OR_RETURN(const json::object claims, VerifySignature(token, *provider, *SourceOf(policy, *provider)));

  ASSIGN_OR_RETURN(const std::string verified_issuer, token::StringClaim(claims, "iss"));
  if (verified_issuer != provider->issuer()) return BadToken("has another issuer");
  RETURN_IF_ERROR(CheckAudience(claims, *provider));
  ASSIGN_OR_RETURN(const token::Validity validity, token::CheckValidity(claims, clock_.Now()));
  WorkloadIdentity identity;
  identity.expires_at = validity.expires_at;
  ASSIGN_OR_RETURN(identity.account, AccountOf(claims, *provider));
  ASSIGN_OR_RETURN(identity.grants, GrantsOf(claims, *provider));
  return identity;
}

std::shared_ptr<KeySetSource> IdentityProviders::SourceOf(const Policy& policy, const IdentityProvider& provider) {
  absl::MutexLock lock(&mutex_);
  const auto found = sources_.find(LocationOf(provider));
  if (found != sources_.end()) return found->second;
  // Removes the sources of providers that the policy no longer has.
  std::set<std::string> used;
  for (const IdentityProvider& other : policy.identity_providers()) used.insert(LocationOf(other));
  std::erase_if(sources_, [&](const auto& source) { return !used.contains(source.first); });
  return sources_.emplace(LocationOf(provider), make_source_(provider)).first->second;
}

}  // namespace entrepot::auth
