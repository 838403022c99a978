#ifndef ENTREPOT_SERVICES_CORE_TEXT_UTF8_H_
#define ENTREPOT_SERVICES_CORE_TEXT_UTF8_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace entrepot {

// The length of the longest prefix of `text` that is valid UTF-8 (RFC 3629: no surrogates, no overlong forms).
size_t Utf8PrefixLength(absl::string_view text);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TEXT_UTF8_H_
