#ifndef ENTREPOT_SERVICES_AUTH_CREDENTIALS_HTPASSWD_H_
#define ENTREPOT_SERVICES_AUTH_CREDENTIALS_HTPASSWD_H_

#include <functional>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/auth/credentials/bcrypt_hash.h"

namespace entrepot::auth {

using PasswordHashes = std::map<std::string, BcryptHash, std::less<>>;

// The users of a file as htpasswd -B writes it: lines of `name:hash`; empty ones and those that begin with # say
// nothing. kInvalidArgument where a line is anything else, a name is no user's or stands there twice, or a hash is not
// bcrypt's: one line of the message each ("users:3: …", at most 20 of them), without any part of a hash.
absl::StatusOr<PasswordHashes> ParseHtpasswd(absl::string_view text, absl::string_view file_name);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_CREDENTIALS_HTPASSWD_H_
