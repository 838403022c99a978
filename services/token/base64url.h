#ifndef ENTREPOT_SERVICES_TOKEN_BASE64URL_H_
#define ENTREPOT_SERVICES_TOKEN_BASE64URL_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace entrepot::token {

// Base64url without padding (RFC 4648 section 5, RFC 7515).
std::string EncodeBase64Url(absl::string_view bytes);

// nullopt for any text that EncodeBase64Url does not return: with padding, other characters, or bits set after the last
// byte.
std::optional<std::string> DecodeBase64Url(absl::string_view text);

}  // namespace entrepot::token

#endif  // ENTREPOT_SERVICES_TOKEN_BASE64URL_H_
