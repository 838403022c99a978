#ifndef ENTREPOT_SERVICES_CORE_TEXT_UTF8_H_
#define ENTREPOT_SERVICES_CORE_TEXT_UTF8_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace entrepot::runtime {

// The length of the longest prefix of `text` that is UTF-8 (RFC 3629: no surrogates, no overlong forms); text.size()
// where all of it is.
size_t Utf8PrefixLength(absl::string_view text);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_CORE_TEXT_UTF8_H_
