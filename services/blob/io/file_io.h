#ifndef ENTREPOT_SERVICES_BLOB_IO_FILE_IO_H_
#define ENTREPOT_SERVICES_BLOB_IO_FILE_IO_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/blob/io/system_calls.h"
#include "services/core/files/disk_space.h"
#include "services/core/files/owned_fd.h"

namespace entrepot::blob {

// Calls of SystemCalls, repeated after interruptions (EINTR) and short counts. An int result is an errno; 0 is success.
int PWriteFully(SystemCalls& calls, int fd, absl::string_view bytes, uint64_t offset_bytes);
int FDataSyncFully(SystemCalls& calls, int fd);
int FSyncFully(SystemCalls& calls, int fd);
int FTruncateFully(SystemCalls& calls, int fd, uint64_t size_bytes);
// At most `size` bytes, fewer only at the end of the file. kDataLoss if the disk cannot read them.
absl::StatusOr<size_t> PReadFully(SystemCalls& calls, int fd, char* data, size_t size, uint64_t offset_bytes);
// On an error the result owns no descriptor (-1), and errno is set.
OwnedFd OpenAtFully(SystemCalls& calls, int directory, const char* path, int flags, mode_t mode = 0);

// The space of the file system that contains the open file. Errors are those of ReadError().
absl::StatusOr<DiskSpace> GetDiskSpace(SystemCalls& calls, int fd);
// CheckRoomForBlobs() on that file system; OK if its space cannot be read.
absl::Status CheckDiskSpace(SystemCalls& calls, int fd);

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_IO_FILE_IO_H_
