#ifndef ENTREPOT_SERVICES_CORE_TEXT_PERCENT_ENCODING_H_
#define ENTREPOT_SERVICES_CORE_TEXT_PERCENT_ENCODING_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace entrepot {

// Decodes percent-encoding (RFC 3986 section 2.1), once. `+` is kept. nullopt if a `%` is not followed by two hex
// digits.
std::optional<std::string> PercentDecode(absl::string_view text);

// Encodes all bytes but RFC 3986's unreserved characters, as the value in a query needs it.
std::string PercentEncode(absl::string_view text);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TEXT_PERCENT_ENCODING_H_
