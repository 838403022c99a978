#ifndef ENTREPOT_TESTS_FUZZ_ERROR_PROPERTIES_H_
#define ENTREPOT_TESTS_FUZZ_ERROR_PROPERTIES_H_

#include "absl/status/status.h"
#include "services/status/oci_error.h"

namespace entrepot::fuzz {

// Checks the properties of every message for a log or a client: one line of printable ASCII of bounded length.
void CheckMessage(const absl::Status& status);

// The same; also checks that the status is an error of this code.
void CheckOciError(const absl::Status& status, OciErrorCode code);

}  // namespace entrepot::fuzz

#endif  // ENTREPOT_TESTS_FUZZ_ERROR_PROPERTIES_H_
