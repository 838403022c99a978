#ifndef ENTREPOT_SERVICES_KV_ROCKSDB_FREE_SPACE_H_
#define ENTREPOT_SERVICES_KV_ROCKSDB_FREE_SPACE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace entrepot::kv {

// What a file system has, for this process.
struct FileSystemSpace {
  uint64_t total_bytes = 0;
  uint64_t free_bytes = 0;
  // Whether a few more files can be made.
  bool has_inodes = true;
};

// kUnavailable: it cannot be asked.
absl::StatusOr<FileSystemSpace> ReadFileSystemSpace(const std::string& directory);

// What is refused below: writes keep clear of the file system's end, since a log that could not be written stops the
// engine until a restart, and since compaction needs room to give room back.
uint64_t ReservedBytes(const FileSystemSpace& space);

// kUnavailable where so little is free that a transaction must be refused. One that deletes something may use most of
// the reserve: by it the file system may become free again.
absl::Status CheckFreeSpace(const FileSystemSpace& space, bool deletes);

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_ROCKSDB_FREE_SPACE_H_
