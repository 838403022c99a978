#include "services/manifest/blob_commit.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/manifest/blob_review.h"
#include "services/manifest/link_record.h"
#include "services/manifest/metadata_keys.h"
#include "services/manifest/record_io.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using storage::v1::BlobRecord;

void WriteDeleteIntent(kv::KvTransaction& transaction, const StorageKey& storage_key, const Blob& blob,
                       absl::Time now) {
  storage::v1::DeleteIntentRecord intent;
  intent.set_digest(blob.digest.ToString());
  intent.set_size_bytes(blob.size_bytes);
  *intent.mutable_created_at() = ToTimestamp(now);
  WriteRecord(transaction, keys::DeleteIntent(storage_key), intent);
}

// Never makes live what the sweeper may be deleting.
absl::Status MakeLive(kv::KvTransaction& transaction, const Blob& blob, BlobRecord* record) {
  ASSIGN_OR_RETURN(const std::optional<std::string> intent, transaction.Get(keys::DeleteIntent(blob.storage_key)));
  if (intent.has_value()) {
    return OciError(OciErrorCode::kBlobUploadUnknown, "the upload was given up; start a new one");
  }
  record->set_state(BlobRecord::LIVE);
  record->set_generation(record->generation() + 1);
  record->set_storage_key(blob.storage_key.ToString());
  record->set_size_bytes(blob.size_bytes);
  return absl::OkStatus();
}

// Another copy of bytes that are LIVE, or the same one once more.
absl::StatusOr<CommitResult> DropCopy(kv::KvTransaction& transaction, const Blob& blob, absl::Time now,
                                      const BlobRecord& record) {
  if (record.size_bytes() != blob.size_bytes) {
    return absl::InternalError(absl::StrCat(blob.digest.ToString(), " has ", record.size_bytes(),
                                            " bytes, but was sealed with ", blob.size_bytes));
  }
  if (record.storage_key() == blob.storage_key.ToString()) return CommitResult::kRepeated;
  WriteDeleteIntent(transaction, blob.storage_key, blob, now);
  return CommitResult::kDeduplicated;
}

absl::StatusOr<CommitResult> Settle(kv::KvTransaction& transaction, const Blob& blob, absl::Time now,
                                    BlobRecord* record) {
  if (record->state() == BlobRecord::LIVE) return DropCopy(transaction, blob, now, *record);
  const bool had_bytes = !record->storage_key().empty();
  if (had_bytes && record->storage_key() != blob.storage_key.ToString()) {
    ASSIGN_OR_RETURN(const StorageKey old_key, StorageKey::Parse(record->storage_key()));
    WriteDeleteIntent(transaction, old_key, blob, now);
  }
  RETURN_IF_ERROR(MakeLive(transaction, blob, record));
  return had_bytes ? CommitResult::kRevived : CommitResult::kStored;
}

}  // namespace

absl::StatusOr<CommitResult> CommitUpload(kv::KvTransaction& transaction, const RepositoryName& repository,
                                          const Blob& blob, absl::Time now, absl::Duration lease) {
  const std::string blob_key = keys::Blob(blob.digest);
  ASSIGN_OR_RETURN(std::optional<BlobRecord> found, ReadRecord<BlobRecord>(transaction, blob_key));
  BlobRecord record = found.value_or(BlobRecord());
  ASSIGN_OR_RETURN(const CommitResult result, Settle(transaction, blob, now, &record));

  *record.mutable_lease_until() = ToTimestamp(std::max(FromTimestamp(record.lease_until()), now + lease));
  EnsureReview(transaction, blob.digest, now, &record);
  WriteRecord(transaction, blob_key, record);

  RETURN_IF_ERROR(EnsureLink(transaction, blob.digest, repository, now));
  return result;
}

absl::StatusOr<std::optional<CommitResult>> CommitUploadOfLive(kv::KvTransaction& transaction,
                                                               const RepositoryName& repository, const Blob& blob,
                                                               absl::Time now) {
  ASSIGN_OR_RETURN(const std::optional<BlobRecord> record,
                   ReadRecord<BlobRecord>(transaction, keys::Blob(blob.digest)));
  if (!record.has_value() || record->state() != BlobRecord::LIVE) return std::nullopt;
  ASSIGN_OR_RETURN(const CommitResult result, DropCopy(transaction, blob, now, *record));
  RETURN_IF_ERROR(EnsureLink(transaction, blob.digest, repository, now));
  return result;
}

}  // namespace entrepot::manifest
