#ifndef ENTREPOT_SERVICES_CORE_TEXT_LOWER_HEX_H_
#define ENTREPOT_SERVICES_CORE_TEXT_LOWER_HEX_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace entrepot {

// Whether `text` consists of lower-case hex digits only; true for an empty text.
bool IsLowerHex(absl::string_view text);

// `byte_count` random bytes from the kernel, fit for secrets, as lower-case hex. Thread-safe. Crashes for more than 32
// bytes, or if the kernel returns none.
std::string RandomLowerHex(size_t byte_count);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TEXT_LOWER_HEX_H_
