#include "services/runtime/version.h"

#include "absl/base/attributes.h"
#include "absl/strings/string_view.h"

namespace entrepot::runtime {

// The definition in :version_stamp takes the place of this one.
extern const absl::string_view kVersion ABSL_ATTRIBUTE_WEAK;
constinit const absl::string_view kVersion = "dev";

}  // namespace entrepot::runtime
