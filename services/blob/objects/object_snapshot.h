#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_SNAPSHOT_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_SNAPSHOT_H_

#include <string>

#include "absl/status/statusor.h"
#include "services/blob/io/system_calls.h"
#include "services/blob/objects/blob_directory.h"
#include "services/core/blob_storage.h"

namespace entrepot::blob {

// Makes the directory `to`, whose parent exists, as a copy of `from` that can be opened like it. It contains hard links
// to the files of all objects, or copies of them if `to` is in another file system. Objects that are added or deleted
// during the call may or may not be in it. The copy is durable when this returns.
absl::StatusOr<ObjectSnapshot> CopyObjects(SystemCalls& calls, const BlobDirectory& from, const std::string& to);

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_SNAPSHOT_H_
