#ifndef ENTREPOT_SERVICES_BLOB_IO_DISK_READ_H_
#define ENTREPOT_SERVICES_BLOB_IO_DISK_READ_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/blob/io/system_calls.h"
#include "services/core/files/owned_fd.h"

namespace entrepot::blob {

// Gives all bytes of the file to `take`, in order and in pieces, until it returns false. Reads bypass the page cache,
// which proves nothing about the disk and must not lose its contents; if the file system does not support that, they go
// through it. `fd` is open for reading, and `path` is where it can be opened again. kDataLoss if the disk does not
// return the bytes.
absl::Status ReadFromDisk(SystemCalls& calls, int directory, const std::string& path, const OwnedFd& fd,
                          const std::function<bool(absl::string_view)>& take);

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_IO_DISK_READ_H_
