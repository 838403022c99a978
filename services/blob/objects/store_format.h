#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_STORE_FORMAT_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_STORE_FORMAT_H_

#include "absl/status/status.h"
#include "services/blob/io/system_calls.h"
#include "services/blob/objects/blob_directory.h"
#include "services/kv/kv_engine.h"

namespace entrepot::blob {

// In the directory: which store it is.
inline constexpr char kStoreIdFile[] = "store_id";

// Checks that the KV and the directory hold a format that this program knows, and that they belong together: a volume
// that was not mounted, or a copy of only one of them, must not look like an empty store. Marks both where they are
// new. kFailedPrecondition where not; the message says what to do.
absl::Status CheckStoreFormat(kv::KvEngine& kv, const BlobDirectory& directory, SystemCalls& calls);

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_STORE_FORMAT_H_
