#ifndef ENTREPOT_SERVICES_AUTH_RECORDS_SECRET_H_
#define ENTREPOT_SERVICES_AUTH_RECORDS_SECRET_H_

#include <string>

#include "absl/strings/string_view.h"

// Secrets that we make: 32 random bytes behind a prefix by which scanners of repositories find them. Nobody guesses
// one, so one round of SHA-256 is all that is kept of it.
namespace entrepot::auth {

inline constexpr absl::string_view kRobotSecretPrefix = "entrepot_robot_";
inline constexpr absl::string_view kRefreshTokenPrefix = "entrepot_refresh_";

std::string NewSecret(absl::string_view prefix);
// 32 bytes.
std::string Sha256(absl::string_view text);
// In constant time for texts of the same length.
bool SecretsEqual(absl::string_view a, absl::string_view b);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_RECORDS_SECRET_H_
