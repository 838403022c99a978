#ifndef ENTREPOT_SERVICES_KV_ROCKSDB_OWNED_DIRECTORY_H_
#define ENTREPOT_SERVICES_KV_ROCKSDB_OWNED_DIRECTORY_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/core/files/owned_fd.h"

namespace entrepot::kv {

// A directory that no other OwnedDirectory, of this process or another, holds at the same time. The lock goes with the
// holder, however it ends.
class OwnedDirectory {
 public:
  // Makes the directory and its parents where they are missing, so that a power cut does not lose their names.
  // kUnavailable: another holds it, or it cannot be made or opened.
  static absl::StatusOr<OwnedDirectory> Acquire(const std::string& path);

 private:
  explicit OwnedDirectory(OwnedFd fd) : fd_(std::move(fd)) {}

  OwnedFd fd_;
};

// Makes the name of what lies at `path` durable: syncs the directory that it is in. kUnavailable.
absl::Status SyncDirectoryOf(const std::string& path);

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_ROCKSDB_OWNED_DIRECTORY_H_
