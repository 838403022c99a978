#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_STORE_OWNER_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_STORE_OWNER_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/blob/io/system_calls.h"
#include "services/blob/objects/blob_directory.h"
#include "services/core/blob_storage.h"

namespace entrepot::blob {

// The file in the directory that names the catalog: "<catalog id> <generation>\n". It is not in the KV, so that it
// stays if the KV is replaced by an older copy.
inline constexpr char kStoreOwnerFile[] = "catalog";

// An empty StoreOwner if the file does not exist. kUnavailable or kDataLoss if it cannot be read.
absl::StatusOr<StoreOwner> ReadStoreOwner(const BlobDirectory& directory, SystemCalls& calls);

// Replaces the file as a whole, durably. Does nothing if the file has a higher generation of the same catalog: a slow
// caller does not undo what another one has raised. kUnavailable. Two calls at once would use the same new file: the
// caller locks.
absl::Status WriteStoreOwner(const StoreOwner& owner, const BlobDirectory& directory, SystemCalls& calls);

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_STORE_OWNER_H_
