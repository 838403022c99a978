#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_BLOB_KEYS_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_BLOB_KEYS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/core/storage_key.h"
#include "services/core/upload_id.h"

namespace entrepot::blob {

// The keys of the blob service in its KV, all of them; values are in proto/entrepot/storage/v1/blob_records.proto.
inline constexpr absl::string_view kFormatKey = "f/blob";
inline constexpr absl::string_view kUploadPrefix = "u/";
inline constexpr absl::string_view kObjectPrefix = "o/";
inline constexpr absl::string_view kQuarantinePrefix = "oq/";

std::string UploadKey(const UploadId& id);
std::string ObjectKey(const StorageKey& key);
// Where an object goes that is not to be read any more.
std::string QuarantineKey(const StorageKey& key);
// kDataLoss where `key` is not one that UploadKey() returns.
absl::StatusOr<UploadId> ParseUploadKey(absl::string_view key);
// kDataLoss where `key` is not one that ObjectKey() returns.
absl::StatusOr<StorageKey> ParseObjectKey(absl::string_view key);

// The upload that became the object.
UploadId UploadOf(const StorageKey& key);

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_BLOB_KEYS_H_
