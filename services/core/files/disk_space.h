#ifndef ENTREPOT_SERVICES_CORE_FILES_DISK_SPACE_H_
#define ENTREPOT_SERVICES_CORE_FILES_DISK_SPACE_H_

#include <sys/statvfs.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// How much of a file system stays free. Blobs and databases share a disk, and a database that cannot write its log
// stops until a restart. So blobs stop first, then records; deletions, which give room back, stop last.
namespace entrepot {

struct DiskSpace {
  uint64_t total_bytes = 0;
  uint64_t used_bytes = 0;
  // What this process may still use.
  uint64_t free_bytes = 0;
  // Whether a few more files can be made. True for file systems without a fixed number of inodes.
  bool has_inodes = true;
};

// What statvfs reported.
DiskSpace ToDiskSpace(const struct statvfs& stats);

// Of the file system that contains `path`. kUnavailable if the kernel does not report it.
absl::StatusOr<DiskSpace> ReadDiskSpace(const std::string& path);

// Blobs leave an eighth of the file system free, at most 256 MiB.
uint64_t ReservedFromBlobs(uint64_t total_bytes);
// Records leave a sixteenth of the file system free, at most 64 MiB: the KV needs room to
// reclaim the room of deleted records.
uint64_t ReservedFromRecords(uint64_t total_bytes);

// kUnavailable (UNAVAILABLE) if only the reserve is free. A file system that reports a size of zero passes.
absl::Status CheckRoomForBlobs(const DiskSpace& space);

// kUnavailable (UNAVAILABLE) if only the reserve, or hardly any inode, is free. A transaction that deletes something
// may use three quarters of the reserve, and needs no inodes.
absl::Status CheckRoomForRecords(const DiskSpace& space, bool deletes);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_FILES_DISK_SPACE_H_
