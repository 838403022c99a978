#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_STORE_FORMAT_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_STORE_FORMAT_H_

#include "absl/status/status.h"
#include "services/blob/io/system_calls.h"
#include "services/blob/objects/blob_directory.h"
#include "services/kv/kv_engine.h"

namespace entrepot::blob {

// The file in the directory that contains the id of the store.
inline constexpr char kStoreIdFile[] = "store_id";

// Checks that the KV and the directory have a format that this program knows, and that they belong together: a volume
// that is not mounted, or a copy of only one of them, must not look like an empty store. Marks both if they are new.
// kFailedPrecondition if the check fails; the message contains what to do.
absl::Status CheckStoreFormat(kv::KvEngine& kv, const BlobDirectory& directory, SystemCalls& calls);

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_STORE_FORMAT_H_
