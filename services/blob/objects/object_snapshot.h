#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_SNAPSHOT_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_SNAPSHOT_H_

#include <string>

#include "absl/status/statusor.h"
#include "services/blob/io/system_calls.h"
#include "services/blob/objects/blob_directory.h"
#include "services/core/object_access.h"

namespace entrepot::blob {

// Makes the directory `to`, whose parent is there, one that can be opened as `from` was, with all objects that are
// there now: hard links to their files, or copies where `to` lies in another file system. Objects that come or go
// meanwhile are in it or not. Durable when it returns.
absl::StatusOr<ObjectSnapshot> CopyObjects(SystemCalls& calls, const BlobDirectory& from, const std::string& to);

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_SNAPSHOT_H_
