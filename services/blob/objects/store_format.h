#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_STORE_FORMAT_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_STORE_FORMAT_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/blob/io/system_calls.h"
#include "services/blob/objects/blob_directory.h"
#include "services/kv/kv_engine.h"

namespace entrepot::blob {

// The file in the directory that contains the id of the store.
inline constexpr char kStoreIdFile[] = "store_id";

// How the id of a store is kept beside its objects.
struct StoreIdentity {
  // For messages: "the directory of blobs", and what to ask if it is another one.
  std::string name;
  std::string question;
  // Empty if there is none.
  std::function<absl::StatusOr<std::string>()> read;
  // Durable. Returns the id that the store has then: another process may have been first.
  std::function<absl::StatusOr<std::string>(const std::string& id)> write;
  std::function<absl::StatusOr<bool>()> has_objects;
};

// Checks that the KV has a format that this program knows, and that it and the store belong together: another bucket,
// or a copy of only one of them, must not look like an empty store. Marks both if they are new. kFailedPrecondition if
// the check fails; the message contains what to do.
absl::Status CheckStoreIdentity(kv::KvEngine& kv, const StoreIdentity& identity);

// The same for a directory: checks that the KV and the directory have a format that this program knows, and that they
// belong together: a volume that is not mounted, or a copy of only one of them, must not look like an empty store.
// Marks both if they are new. kFailedPrecondition if the check fails; the message contains what to do.
absl::Status CheckStoreFormat(kv::KvEngine& kv, const BlobDirectory& directory, SystemCalls& calls);

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_STORE_FORMAT_H_
