#ifndef ENTREPOT_GATEWAY_API_REQUEST_PERCENT_ENCODING_H_
#define ENTREPOT_GATEWAY_API_REQUEST_PERCENT_ENCODING_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace entrepot::gateway::api {

// Undoes percent-encoding (RFC 3986 section 2.1), once. `+` stays as it is. nullopt where a `%` is not followed by two
// hex digits.
std::optional<std::string> PercentDecode(absl::string_view text);

// Encodes all but RFC 3986's unreserved characters: fit for a query's value.
std::string PercentEncode(absl::string_view text);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REQUEST_PERCENT_ENCODING_H_
