#ifndef ENTREPOT_SERVICES_UPSTREAM_FETCH_SPOOL_FILE_H_
#define ENTREPOT_SERVICES_UPSTREAM_FETCH_SPOOL_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/core/files/owned_fd.h"

namespace entrepot::upstream {

// Makes the directory, readable by its owner only, if it does not exist, and deletes the spool files that a crash has
// left in it. Other files stay. kUnavailable with the path.
absl::Status PrepareSpoolDirectory(const std::string& directory);

// The bytes of one running fetch. The file has no name, so the kernel deletes it with the last descriptor, also after a
// crash. It is not synced. One thread appends while others read what has been appended.
class SpoolFile {
 public:
  // kUnavailable (UNAVAILABLE) if no file can be made.
  static absl::StatusOr<std::unique_ptr<SpoolFile>> Create(const std::string& directory);

  // kUnavailable (UNAVAILABLE) if the disk has no room but the reserve (disk_space.h), or fails.
  absl::Status Append(absl::string_view bytes);
  uint64_t size_bytes() const { return size_bytes_; }

  // Reads `size` bytes, all of which must have been appended. Thread-safe. kDataLoss if the file is shorter;
  // kUnavailable (UNAVAILABLE) if the disk fails.
  absl::Status Read(uint64_t offset_bytes, char* data, size_t size) const;
  // Another descriptor of the file, for reading what has been appended. Thread-safe. kUnavailable (UNAVAILABLE): the
  // process has no more descriptors.
  absl::StatusOr<OwnedFd> Duplicate() const;

 private:
  explicit SpoolFile(OwnedFd file) : file_(std::move(file)) {}

  const OwnedFd file_;
  uint64_t size_bytes_ = 0;
  // Where the room of the disk is checked next.
  uint64_t next_check_bytes_ = 0;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_FETCH_SPOOL_FILE_H_
