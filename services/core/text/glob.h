#ifndef ENTREPOT_SERVICES_CORE_TEXT_GLOB_H_
#define ENTREPOT_SERVICES_CORE_TEXT_GLOB_H_

#include "absl/strings/string_view.h"

namespace entrepot {

// Whether the pattern matches the whole text. In the pattern `*` stands for any bytes, even none, and every other byte
// for itself. Takes time linear in the lengths, for any pattern.
bool GlobMatches(absl::string_view pattern, absl::string_view text);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TEXT_GLOB_H_
