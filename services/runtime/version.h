#ifndef ENTREPOT_SERVICES_RUNTIME_VERSION_H_
#define ENTREPOT_SERVICES_RUNTIME_VERSION_H_

#include "absl/strings/string_view.h"

namespace entrepot::runtime {

// The version of all of Entrepot's programs: they are released together.
inline constexpr absl::string_view kVersion = "0.1.0";

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_VERSION_H_
