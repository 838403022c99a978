#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_TIER_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_TIER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/blob/objects/object_reader.h"
#include "services/core/storage_key.h"

namespace entrepot::blob {

struct ListedObject {
  StorageKey key;
  uint64_t size_bytes = 0;
  // Where that is known.
  std::optional<absl::Time> written_at;
};

struct ObjectList {
  std::vector<ListedObject> objects;
  bool more = false;
};

// One of the places where objects lie, and what its upkeep asks of it. Thread-safe; calls may block on the disk.
// Delete() also deletes a quarantined copy.
class ObjectTier : public ObjectReader {
 public:
  // Gives all bytes to `take`, in order and in pieces, until it returns false. They come from the disk itself where
  // that can be had, and leave what others read of it in memory. Errors are those of Open().
  virtual absl::Status ReadFromDisk(const StorageKey& key, const std::function<bool(absl::string_view)>& take) = 0;
  // Takes it from where Open() finds it and keeps its bytes, durably. Already gone counts as success.
  virtual absl::Status Quarantine(const StorageKey& key) = 0;
  // The objects behind `start_after` (any text) in the order of their keys, `limit` at most and perhaps fewer.
  virtual absl::StatusOr<ObjectList> List(absl::string_view start_after, size_t limit) = 0;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_TIER_H_
