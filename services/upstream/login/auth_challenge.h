#ifndef ENTREPOT_SERVICES_UPSTREAM_LOGIN_AUTH_CHALLENGE_H_
#define ENTREPOT_SERVICES_UPSTREAM_LOGIN_AUTH_CHALLENGE_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace entrepot::upstream {

// One challenge of a WWW-Authenticate field (RFC 9110 section 11.6.1).
struct AuthChallenge {
  // In lower case: "bearer", "basic".
  std::string scheme;
  // Names are in lower case; of a name that comes twice the first value counts.
  std::map<std::string, std::string> parameters;

  // Empty if the challenge has no such parameter.
  const std::string& Parameter(const std::string& name) const;

  friend bool operator==(const AuthChallenge&, const AuthChallenge&) = default;
};

inline constexpr size_t kChallengeFieldBytesMax = 8 * 1024;
inline constexpr size_t kChallengesMax = 16;
inline constexpr size_t kChallengeParametersMax = 16;

// The challenges of all WWW-Authenticate fields of a response, in their order: several may stand in one field. Accepts
// odd spaces and commas; of a field that is malformed the challenges before the fault count. Fields that are too long,
// and what is beyond the other limits, are left out.
std::vector<AuthChallenge> ParseAuthChallenges(const std::vector<absl::string_view>& fields);

// The challenge to answer: the first Bearer challenge with a realm, else the first Basic one, else nullopt.
std::optional<AuthChallenge> ChooseChallenge(const std::vector<AuthChallenge>& challenges);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_LOGIN_AUTH_CHALLENGE_H_
