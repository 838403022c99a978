#ifndef ENTREPOT_SERVICES_STATUS_QUOTED_INPUT_H_
#define ENTREPOT_SERVICES_STATUS_QUOTED_INPUT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace entrepot {

// Quotes untrusted text for a message: in double quotes, other bytes than printable ASCII as escapes, and cut with
// "..." after 64 bytes of input.
std::string QuotedInput(absl::string_view input);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_STATUS_QUOTED_INPUT_H_
