#ifndef ENTREPOT_SERVICES_CORE_TEXT_LOWER_HEX_H_
#define ENTREPOT_SERVICES_CORE_TEXT_LOWER_HEX_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace entrepot {

// Whether all of `text` is lower-case hex digits; so of an empty one.
bool IsLowerHex(absl::string_view text);

// So many bytes of the kernel's randomness, fit for secrets, as lower-case hex. Thread-safe. More than
// 32 bytes, or a kernel that gives none, crash.
std::string RandomLowerHex(size_t byte_count);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TEXT_LOWER_HEX_H_
