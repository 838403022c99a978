#include "services/manifest/records/blob_record.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/core/storage_key.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {

using storage::v1::DeleteIntentRecord;

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

absl::StatusOr<bool> HasLink(kv::KvReader& kv, const Digest& digest, const RepositoryName& repository) {
  ASSIGN_OR_RETURN(const std::optional<std::string> link, kv.Get(keys::Link(digest, repository)));
  return link.has_value();
}

absl::StatusOr<bool> HasAnyLink(kv::KvReader& kv, const Digest& digest) {
  ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> links,
                   kv.Scan({.prefix = keys::LinksOf(digest), .start_after = "", .limit = 1}));
  return !links.empty();
}

absl::Status EnsureLink(kv::KvTransaction& transaction, const Digest& digest, const RepositoryName& repository,
                        absl::Time now) {
  ASSIGN_OR_RETURN(const bool exists, HasLink(transaction, digest, repository));
  if (exists) return absl::OkStatus();
  storage::v1::LinkRecord link;
  *link.mutable_linked_at() = ToTimestamp(now);
  kv::WriteRecord(transaction, keys::Link(digest, repository), link);
  return absl::OkStatus();
}

absl::Status EnsureDeleteIntent(kv::KvTransaction& transaction, const Blob& blob, absl::Time now) {
  const std::string key = keys::DeleteIntent(blob.storage_key);
  ASSIGN_OR_RETURN(const std::optional<DeleteIntentRecord> before,
                   kv::ReadRecord<DeleteIntentRecord>(transaction, key));
  if (before.has_value() && !before->suspect()) return absl::OkStatus();
  DeleteIntentRecord intent;
  intent.set_digest(blob.digest.ToString());
  intent.set_size_bytes(blob.size_bytes);
  *intent.mutable_created_at() = ToTimestamp(now);
  kv::WriteRecord(transaction, key, intent);
  return absl::OkStatus();
}

}  // namespace entrepot::manifest
