#ifndef ENTREPOT_SERVICES_BLOB_IO_DISK_SPACE_H_
#define ENTREPOT_SERVICES_BLOB_IO_DISK_SPACE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/blob/io/system_calls.h"

namespace entrepot::blob {

struct DiskSpace {
  uint64_t total_bytes = 0;
  uint64_t used_bytes = 0;
  // What this process may still take.
  uint64_t free_bytes = 0;
};

// Of the file system that the open file lies on.
absl::StatusOr<DiskSpace> GetDiskSpace(SystemCalls& calls, int fd);

// What blobs leave free: an eighth, at most 256 MiB. The databases share the disk, and one that cannot write its log
// stops until a restart.
uint64_t ReservedBytes(uint64_t total_bytes);

// kUnavailable (UNAVAILABLE) where no more than that is free. A file system that does not say is taken for an empty
// one.
absl::Status CheckDiskSpace(SystemCalls& calls, int fd);

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_IO_DISK_SPACE_H_
