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

// Reads the users of a file in the format of `htpasswd -B`: lines of `name:hash`. Empty lines and lines that begin with
// # are ignored. kInvalidArgument: a line is malformed, a name is not a valid user name or occurs twice, or a hash is
// not bcrypt's. The message has one line per problem ("users:3: …", at most 20), without any part of a hash.
absl::StatusOr<PasswordHashes> ParseHtpasswd(absl::string_view text, absl::string_view file_name);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_CREDENTIALS_HTPASSWD_H_
