#ifndef ENTREPOT_SERVICES_CORE_FILES_DIRECTORY_PLACE_H_
#define ENTREPOT_SERVICES_CORE_FILES_DIRECTORY_PLACE_H_

#include <string>

#include "absl/status/status.h"

namespace entrepot {

// Whether `path` still names the open directory. A process keeps its open directory if another one is put in its place:
// what it then writes is not found after a restart. kFailedPrecondition if the path names something else or nothing;
// kUnavailable if that cannot be found out.
absl::Status CheckInPlace(int directory, const std::string& path);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_FILES_DIRECTORY_PLACE_H_
