#ifndef ENTREPOT_SERVICES_RUNTIME_VERSION_H_
#define ENTREPOT_SERVICES_RUNTIME_VERSION_H_

#include "absl/strings/string_view.h"

namespace entrepot::runtime {

// Of all of Entrepot's processes: they are released together.
inline constexpr absl::string_view kVersion = "0.1.0";

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_VERSION_H_
