#ifndef ENTREPOT_SERVICES_CORE_TEXT_STRICT_JSON_H_
#define ENTREPOT_SERVICES_CORE_TEXT_STRICT_JSON_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "boost/json/value.hpp"

namespace entrepot {

inline constexpr size_t kJsonDepthMax = 64;
// Values and keys in all, so that a small text cannot become a large tree.
inline constexpr size_t kJsonValuesMax = 250'000;

// The value of a JSON text (RFC 8259) in which no two readers can see different things: UTF-8 without a byte order
// mark, nothing behind the value, no object with the same key twice. kInvalidArgument, with what is wrong and at which
// byte, for anything else or anything beyond the limits.
absl::StatusOr<boost::json::value> ParseStrictJson(absl::string_view text);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TEXT_STRICT_JSON_H_
