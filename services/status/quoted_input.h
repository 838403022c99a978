#ifndef ENTREPOT_SERVICES_STATUS_QUOTED_INPUT_H_
#define ENTREPOT_SERVICES_STATUS_QUOTED_INPUT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace entrepot {

// Untrusted text made fit for a message: in double quotes, printable ASCII (other bytes as escapes), cut off with "..."
// behind 64 bytes of input.
std::string QuotedInput(absl::string_view input);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_STATUS_QUOTED_INPUT_H_
