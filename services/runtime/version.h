#ifndef ENTREPOT_SERVICES_RUNTIME_VERSION_H_
#define ENTREPOT_SERVICES_RUNTIME_VERSION_H_

#include "absl/strings/string_view.h"

namespace entrepot::runtime {

// The version of all of Entrepot's programs, which are released together: that of the commit (scripts/version) in a
// program that links :version_stamp, "dev" in tests and all other binaries. It has no character that a User-Agent or a
// metric's label must escape. Safe to read from any thread, also during static initialization.
extern const absl::string_view kVersion;

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_VERSION_H_
