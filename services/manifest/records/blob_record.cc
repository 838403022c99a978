#include "services/manifest/records/blob_record.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/core/storage_key.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {

absl::StatusOr<Blob> ToBlob(const Digest& digest, const storage::v1::BlobRecord& record) {
  absl::StatusOr<StorageKey> storage_key = StorageKey::Parse(record.storage_key());
  if (!storage_key.ok()) {
    return absl::DataLossError(absl::StrCat("the record of ", digest.ToString(), " has no storage key"));
  }
  return Blob{.digest = digest, .size_bytes = record.size_bytes(), .storage_key = *std::move(storage_key)};
}

absl::StatusOr<bool> IsReferredTo(kv::KvReader& kv, const Digest& digest) {
  ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> references,
                   kv.Scan({.prefix = keys::ReferencesTo(digest), .start_after = "", .limit = 1}));
  return !references.empty();
}

}  // namespace entrepot::manifest
