#ifndef ENTREPOT_SERVICES_CORE_TEXT_STRICT_JSON_H_
#define ENTREPOT_SERVICES_CORE_TEXT_STRICT_JSON_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "boost/json/value.hpp"

namespace entrepot {

inline constexpr size_t kJsonDepthMax = 64;
// Limits the number of values and keys together, so that a small text cannot become a large tree.
inline constexpr size_t kJsonValuesMax = 250'000;

// Parses a JSON text (RFC 8259) that no two readers can understand differently: UTF-8 without a byte order mark,
// nothing after the value, and no object with the same key twice. Anything else, or anything beyond the limits, is
// kInvalidArgument with the reason and the byte offset.
absl::StatusOr<boost::json::value> ParseStrictJson(absl::string_view text);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TEXT_STRICT_JSON_H_
