#ifndef ENTREPOT_SERVICES_RUNTIME_FILES_FILE_CONTENTS_H_
#define ENTREPOT_SERVICES_RUNTIME_FILES_FILE_CONTENTS_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace entrepot::runtime {

// The largest configuration file, and the largest file that a configuration names.
inline constexpr size_t kConfiguredFileBytesMax = 1024 * 1024;

// Reads a whole file of at most `bytes_max`. The message of an error names the file. kInvalidArgument: it is larger, or
// not a regular file (a directory, a FIFO). kNotFound, kPermissionDenied and others: the system cannot read it.
absl::StatusOr<std::string> ReadFileContents(const std::string& path, size_t bytes_max);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_FILES_FILE_CONTENTS_H_
