#ifndef ENTREPOT_SERVICES_RUNTIME_FILES_FILE_CONTENTS_H_
#define ENTREPOT_SERVICES_RUNTIME_FILES_FILE_CONTENTS_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace entrepot::runtime {

// What a configuration, and each of the files that it names, may hold.
inline constexpr size_t kConfiguredFileBytesMax = 1024 * 1024;

// The whole of a file of at most `bytes_max`. The message of an error names the file. kInvalidArgument: it is larger,
// or no file (a directory, a FIFO); kNotFound, kPermissionDenied and others: the system's reason why it cannot be read.
absl::StatusOr<std::string> ReadFileContents(const std::string& path, size_t bytes_max);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_FILES_FILE_CONTENTS_H_
