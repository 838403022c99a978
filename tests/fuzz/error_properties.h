#ifndef ENTREPOT_TESTS_FUZZ_ERROR_PROPERTIES_H_
#define ENTREPOT_TESTS_FUZZ_ERROR_PROPERTIES_H_

#include "absl/status/status.h"
#include "services/status/oci_error.h"

namespace entrepot::fuzz {

// Checks what holds of every message that goes into a log or to a client: one line of printable ASCII, bounded however
// long the input was.
void CheckMessage(const absl::Status& status);

// The same, and that it is an error of this code.
void CheckOciError(const absl::Status& status, OciErrorCode code);

}  // namespace entrepot::fuzz

#endif  // ENTREPOT_TESTS_FUZZ_ERROR_PROPERTIES_H_
