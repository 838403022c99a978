#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_READER_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_READER_H_

#include <cstdint>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/core/files/owned_fd.h"
#include "services/core/storage_key.h"

namespace entrepot::blob {

// Tells a file's bytes from what they become when somebody writes to them. Links to it, which a backup makes, change
// nothing of it.
struct ObjectVersion {
  uint64_t inode = 0;
  uint64_t size_bytes = 0;
  int64_t modified_nanoseconds = 0;

  friend bool operator==(const ObjectVersion&, const ObjectVersion&) = default;
};

// An object's bytes, as cheaply as they can be had: those of a small one, or the open file of another.
struct OpenObject {
  std::variant<std::string, OwnedFd> content;
  uint64_t size_bytes = 0;
  // Of a file.
  ObjectVersion version = {};
};

// Objects by storage key, over both tiers. Thread-safe; calls may block on the disk.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;
  // kNotFound where no object has that key; kDataLoss where it cannot be read.
  virtual absl::StatusOr<OpenObject> Open(const StorageKey& key) = 0;
  // Already gone counts as success.
  virtual absl::Status Delete(const StorageKey& key) = 0;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_READER_H_
