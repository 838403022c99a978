#ifndef ENTREPOT_GATEWAY_API_REQUEST_PERCENT_ENCODING_H_
#define ENTREPOT_GATEWAY_API_REQUEST_PERCENT_ENCODING_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace entrepot::gateway::api {

// Decodes percent-encoding (RFC 3986 section 2.1), once. `+` is not decoded. nullopt if a `%` is not followed by two
// hexadecimal digits.
std::optional<std::string> PercentDecode(absl::string_view text);

// Encodes all bytes but RFC 3986's unreserved characters, as for a value in a query.
std::string PercentEncode(absl::string_view text);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REQUEST_PERCENT_ENCODING_H_
