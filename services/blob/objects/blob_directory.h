#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_BLOB_DIRECTORY_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_BLOB_DIRECTORY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/blob/io/system_calls.h"
#include "services/blob/objects/object_store.h"
#include "services/core/files/owned_fd.h"
#include "services/core/storage_key.h"
#include "services/core/upload_id.h"
#include "services/core/waiting.h"

namespace entrepot::blob {

// The directory of the file tier:
//   <directory>/staging/<upload id>                bytes of unsealed uploads
//   <directory>/objects/<00..ff>/<storage key>     objects, by the first two hex digits of the key
//   <directory>/quarantine/<storage key>           objects that must not be read any more
// All directories are made and synced once, when it is opened. Thread-safe.
class BlobDirectory {
 public:
  // Makes missing directories. kUnavailable, with the path, if that fails.
  static absl::StatusOr<std::unique_ptr<BlobDirectory>> Open(const std::string& path, SystemCalls& calls);

  // File descriptors for *at() calls.
  int root() const { return root_.get(); }
  int staging() const { return staging_.get(); }
  int objects() const { return objects_.get(); }
  int quarantine() const { return quarantine_.get(); }

  // Whether the path still names this directory (services/core/files/directory_place.h).
  absl::Status CheckInPlace() const;

  // Paths relative to objects().
  static std::string FanOutOf(const StorageKey& key);
  static std::string PathOf(const StorageKey& key);

  // The objects behind `start_after` in the order of their keys, at most `limit`. Holds the names of at most one
  // fan-out directory in memory. What cannot be read is logged and skipped: a list without it does no harm, because
  // only what is listed is quarantined.
  absl::StatusOr<ObjectList> List(SystemCalls& calls, absl::string_view start_after, size_t limit) const;
  // Whether there is any object. May read every fan-out directory.
  absl::StatusOr<bool> HasObjects() const;
  // The quarantined objects, at most `limit` of them, and when they got their names there.
  absl::StatusOr<Waiting> CountQuarantined(SystemCalls& calls, size_t limit) const;

 private:
  BlobDirectory(std::string path, OwnedFd root, OwnedFd staging, OwnedFd objects, OwnedFd quarantine);

  const std::string path_;
  const OwnedFd root_;
  const OwnedFd staging_;
  const OwnedFd objects_;
  const OwnedFd quarantine_;
};

// Opens the directory `path`, relative to the open directory `parent`. kUnavailable.
absl::StatusOr<OwnedFd> OpenDirectory(SystemCalls& calls, int parent, const std::string& path);

// The names in a directory except "." and "..", at most `limit`.
absl::StatusOr<std::vector<std::string>> ListNames(int directory, const char* path, size_t limit = SIZE_MAX);

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_BLOB_DIRECTORY_H_
