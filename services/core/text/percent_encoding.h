#ifndef ENTREPOT_SERVICES_CORE_TEXT_PERCENT_ENCODING_H_
#define ENTREPOT_SERVICES_CORE_TEXT_PERCENT_ENCODING_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace entrepot {

// Undoes percent-encoding (RFC 3986 section 2.1), once. `+` stays as it is. nullopt if a `%` is not followed by two
// hex digits.
std::optional<std::string> PercentDecode(absl::string_view text);

// Encodes all but RFC 3986's unreserved characters: fit for a query's value.
std::string PercentEncode(absl::string_view text);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TEXT_PERCENT_ENCODING_H_
