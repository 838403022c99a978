#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_BLOB_KEYS_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_BLOB_KEYS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/core/storage_key.h"
#include "services/core/upload_id.h"

namespace entrepot::blob {

// All keys of the blob service in its KV. Their values are in proto/entrepot/storage/v1/blob_records.proto.
inline constexpr absl::string_view kFormatKey = "f/blob";
inline constexpr absl::string_view kUploadPrefix = "u/";
inline constexpr absl::string_view kObjectPrefix = "o/";
inline constexpr absl::string_view kQuarantinePrefix = "oq/";

std::string UploadKey(const UploadId& id);
std::string ObjectKey(const StorageKey& key);
// The key of an object in quarantine.
std::string QuarantineKey(const StorageKey& key);
// kDataLoss if UploadKey() cannot have returned `key`.
absl::StatusOr<UploadId> ParseUploadKey(absl::string_view key);
// kDataLoss if ObjectKey() cannot have returned `key`.
absl::StatusOr<StorageKey> ParseObjectKey(absl::string_view key);

// The id of the upload that became the object.
UploadId UploadOf(const StorageKey& key);

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_BLOB_KEYS_H_
