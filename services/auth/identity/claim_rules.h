#ifndef ENTREPOT_SERVICES_AUTH_IDENTITY_CLAIM_RULES_H_
#define ENTREPOT_SERVICES_AUTH_IDENTITY_CLAIM_RULES_H_

#include <optional>

#include "absl/strings/string_view.h"
#include "boost/json/object.hpp"
#include "entrepot/config/v1/policy.pb.h"

namespace entrepot::auth {

// The string that a claim's name stands for: `sub`, or, within objects, names joined by dots:
// `kubernetes.io.serviceaccount.name` is {"kubernetes.io":{"serviceaccount":{"name":…}}}. Since names may hold dots
// themselves, a text can be read in more ways than one. nullopt where no reading finds a claim or more than one does,
// so that a claim whose name somebody else could choose never stands in for the one that was meant; and where it is no
// string.
std::optional<absl::string_view> FindClaim(const boost::json::object& claims, absl::string_view name);

// Whether the token has all claims that the rule names, each as its pattern says (core/text/glob.h).
bool MeetsClaims(const config::v1::IdentityProvider::ClaimRule& rule, const boost::json::object& claims);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_IDENTITY_CLAIM_RULES_H_
