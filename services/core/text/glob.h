#ifndef ENTREPOT_SERVICES_CORE_TEXT_GLOB_H_
#define ENTREPOT_SERVICES_CORE_TEXT_GLOB_H_

#include "absl/strings/string_view.h"

namespace entrepot {

// Whether the whole of the text is as the pattern says, in which `*` stands for any bytes, also none, and every other
// byte for itself. Takes time linear in the lengths, whatever the pattern.
bool GlobMatches(absl::string_view pattern, absl::string_view text);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TEXT_GLOB_H_
