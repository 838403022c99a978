#ifndef ENTREPOT_SERVICES_AUTH_RECORDS_SECRET_H_
#define ENTREPOT_SERVICES_AUTH_RECORDS_SECRET_H_

#include <string>

#include "absl/strings/string_view.h"

// Generated secrets: a prefix, by which scanners find leaked secrets in source repositories, and 32 random bytes. They
// cannot be guessed, so that one round of SHA-256 suffices to store them.
namespace entrepot::auth {

inline constexpr absl::string_view kRobotSecretPrefix = "entrepot_robot_";
inline constexpr absl::string_view kRefreshTokenPrefix = "entrepot_refresh_";

std::string NewSecret(absl::string_view prefix);
// 32 bytes.
std::string Sha256(absl::string_view text);
// Takes constant time for texts of the same length.
bool SecretsEqual(absl::string_view a, absl::string_view b);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_RECORDS_SECRET_H_
