#ifndef ENTREPOT_SERVICES_CTL_LAYOUT_LAYOUT_FILE_H_
#define ENTREPOT_SERVICES_CTL_LAYOUT_LAYOUT_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/core/digester.h"
#include "services/core/files/owned_fd.h"

// Calls of the system for the files of a layout. Messages have the path and the reason.
namespace entrepot::ctl {

// kUnavailable with the reason in errno.
absl::Status FileError(absl::string_view what, const std::string& path);

// open(2), with the mode 0644 for new files. Without O_DIRECTORY only for regular files; waits for no FIFO. kNotFound
// if there is no such file, else kUnavailable.
absl::StatusOr<OwnedFd> OpenFileAt(const std::string& path, int flags);
absl::StatusOr<uint64_t> SizeOfFile(int fd, const std::string& path);
// Writes all bytes at the end of what was written before.
absl::Status WriteAll(int fd, absl::string_view bytes, const std::string& path);
// Adds `length` bytes from `offset` on to `digester`; fewer at the end of the file.
absl::Status HashRange(int fd, uint64_t offset, uint64_t length, Digester* digester);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_LAYOUT_LAYOUT_FILE_H_
