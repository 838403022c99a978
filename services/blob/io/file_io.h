#ifndef ENTREPOT_SERVICES_BLOB_IO_FILE_IO_H_
#define ENTREPOT_SERVICES_BLOB_IO_FILE_IO_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/blob/io/system_calls.h"
#include "services/core/files/owned_fd.h"

namespace entrepot::blob {

// Calls of SystemCalls with interruptions (EINTR) and short counts made good. An error is an errno; 0 is none.
int PWriteFully(SystemCalls& calls, int fd, absl::string_view bytes, uint64_t offset_bytes);
int FDataSyncFully(SystemCalls& calls, int fd);
int FSyncFully(SystemCalls& calls, int fd);
int FTruncateFully(SystemCalls& calls, int fd, uint64_t size_bytes);
// At most `size` bytes, fewer only at the end of the file. kDataLoss where the disk does not give them.
absl::StatusOr<size_t> PReadFully(SystemCalls& calls, int fd, char* data, size_t size, uint64_t offset_bytes);
// On an error the descriptor is none (-1) and errno says why.
OwnedFd OpenAtFully(SystemCalls& calls, int directory, const char* path, int flags, mode_t mode = 0);

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_IO_FILE_IO_H_
