#ifndef ENTREPOT_SERVICES_TOKEN_BASE64URL_H_
#define ENTREPOT_SERVICES_TOKEN_BASE64URL_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace entrepot::token {

// RFC 4648 section 5 without padding, as RFC 7515 has it.
std::string EncodeBase64Url(absl::string_view bytes);

// nullopt for anything that EncodeBase64Url does not give: padding, other letters, bits set behind the last byte.
std::optional<std::string> DecodeBase64Url(absl::string_view text);

}  // namespace entrepot::token

#endif  // ENTREPOT_SERVICES_TOKEN_BASE64URL_H_
