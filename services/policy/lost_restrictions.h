#ifndef ENTREPOT_SERVICES_POLICY_LOST_RESTRICTIONS_H_
#define ENTREPOT_SERVICES_POLICY_LOST_RESTRICTIONS_H_

#include <string>
#include <vector>

#include "services/policy/policy.h"

namespace entrepot::policy {

// A description of each restriction of `before` that `now` lacks: "immutable_tags[0] "releases"". A restriction is a
// rule on tags, an account in a group that such a rule names, a claim that a rule of an identity provider asks for, or
// the authority of a provider's server (key_set_ca_file). A rule on tags stays if one rule of `now` has all its
// patterns and subjects, in any place and with any name; a wider pattern is not recognized as such. A file that was cut
// short may be valid and lack its last rules: these are the ones whose loss lets callers do more.
std::vector<std::string> FindLostRestrictions(const Policy& before, const Policy& now);

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_LOST_RESTRICTIONS_H_
