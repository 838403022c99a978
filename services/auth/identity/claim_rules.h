#ifndef ENTREPOT_SERVICES_AUTH_IDENTITY_CLAIM_RULES_H_
#define ENTREPOT_SERVICES_AUTH_IDENTITY_CLAIM_RULES_H_

#include <optional>

#include "absl/strings/string_view.h"
#include "boost/json/object.hpp"
#include "entrepot/config/v1/policy.pb.h"

namespace entrepot::auth {

// The string value of the claim with this name. The name of a claim within objects is the names joined by dots:
// `kubernetes.io.serviceaccount.name` is {"kubernetes.io":{"serviceaccount":{"name":…}}}. Since names may contain dots,
// a text can be read in more than one way. nullopt if no reading finds a claim, or more than one does, so that a claim
// whose name a client could choose never replaces the intended one; or if the claim is not a string.
std::optional<absl::string_view> FindClaim(const boost::json::object& claims, absl::string_view name);

// Whether the token has all claims of the rule, each matching its pattern (core/text/glob.h).
bool MeetsClaims(const config::v1::IdentityProvider::ClaimRule& rule, const boost::json::object& claims);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_IDENTITY_CLAIM_RULES_H_
