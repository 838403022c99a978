#ifndef ENTREPOT_SERVICES_KV_ROCKSDB_OWNED_DIRECTORY_H_
#define ENTREPOT_SERVICES_KV_ROCKSDB_OWNED_DIRECTORY_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/core/files/owned_fd.h"

namespace entrepot::kv {

// A directory that no other OwnedDirectory, of this process or of another one, holds at the same time. The lock is
// released when the object is destroyed or the process ends, in any way.
class OwnedDirectory {
 public:
  // Makes the directory and its missing parents durably. kUnavailable if another OwnedDirectory holds it, or if it
  // cannot be made or opened.
  static absl::StatusOr<OwnedDirectory> Acquire(const std::string& path);

  // Whether the path still names this directory (services/core/files/directory_place.h).
  absl::Status CheckInPlace() const;

 private:
  OwnedDirectory(OwnedFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  OwnedFd fd_;
  std::string path_;
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_ROCKSDB_OWNED_DIRECTORY_H_
