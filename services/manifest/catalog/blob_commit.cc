#include "services/manifest/catalog/blob_commit.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/blob_record.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/object_removals.h"
#include "services/manifest/records/review_queue.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using storage::v1::BlobRecord;

absl::Status GivenUp() {
  return OciError(OciErrorCode::kBlobUploadUnknown, "the upload was given up; start a new one");
}

// Whether the object is known to exist under the locks of the transaction, while x/<K> does not exist.
absl::StatusOr<bool> IsConfirmed(kv::KvTransaction& transaction, const Blob& blob, const CommitTerms& terms) {
  if (!terms.need_object) return true;
  if (terms.removals.has_value()) {
    ASSIGN_OR_RETURN(const uint64_t removals, ReadObjectRemovals(transaction));
    if (removals == *terms.removals) return true;
  }
  if (terms.objects == nullptr) return false;
  RETURN_IF_ERROR(ConfirmObject(terms.objects, blob));
  return true;
}

// Makes the blob LIVE with the new bytes, unless their object is deletable, a suspect, or gone. Returns false, and
// changes nothing, if that is not known.
absl::StatusOr<bool> MakeLive(kv::KvTransaction& transaction, const Blob& blob, const CommitTerms& terms,
                              BlobRecord* record) {
  ASSIGN_OR_RETURN(const std::optional<std::string> intent, transaction.Get(keys::DeleteIntent(blob.storage_key)));
  if (intent.has_value()) return GivenUp();
  // These are the bytes that were found corrupt.
  if (record->has_corrupt_since() && record->storage_key() == blob.storage_key.ToString()) return GivenUp();
  ASSIGN_OR_RETURN(const bool confirmed, IsConfirmed(transaction, blob, terms));
  if (!confirmed) return false;
  record->set_state(BlobRecord::LIVE);
  record->clear_corrupt_since();
  record->set_generation(record->generation() + 1);
  record->set_storage_key(blob.storage_key.ToString());
  record->set_size_bytes(blob.size_bytes);
  return true;
}

// Drops the upload of a blob that is LIVE. If the upload is another object than the blob's, that object becomes
// deletable. If it is the blob's own object, the commit is a repetition, and nothing is dropped.
absl::StatusOr<CommitResult> DropCopy(kv::KvTransaction& transaction, const Blob& blob, absl::Time now,
                                      const BlobRecord& record) {
  if (record.size_bytes() != blob.size_bytes) {
    return absl::InternalError(absl::StrCat(blob.digest.ToString(), " has ", record.size_bytes(),
                                            " bytes, but was sealed with ", blob.size_bytes));
  }
  if (record.storage_key() == blob.storage_key.ToString()) return CommitResult::kRepeated;
  RETURN_IF_ERROR(EnsureDeleteIntent(transaction, blob, now));
  return CommitResult::kDeduplicated;
}

// Drops the upload if the blob is LIVE; otherwise makes the blob LIVE with the new bytes.
absl::StatusOr<std::optional<CommitResult>> TakeOrDrop(kv::KvTransaction& transaction, const Blob& blob,
                                                       const CommitTerms& terms, BlobRecord* record) {
  if (record->state() == BlobRecord::LIVE) {
    ASSIGN_OR_RETURN(const CommitResult result, DropCopy(transaction, blob, terms.now, *record));
    return result;
  }
  const bool had_bytes = !record->storage_key().empty();
  const bool replaces = had_bytes && record->storage_key() != blob.storage_key.ToString();
  if (replaces && (!terms.old_key.has_value() || record->storage_key() != terms.old_key->ToString())) {
    return std::nullopt;
  }
  const uint64_t old_size_bytes = record->size_bytes();
  ASSIGN_OR_RETURN(const bool is_live, MakeLive(transaction, blob, terms, record));
  if (!is_live) return std::nullopt;
  if (replaces) {
    const Blob old{.digest = blob.digest, .size_bytes = old_size_bytes, .storage_key = *terms.old_key};
    RETURN_IF_ERROR(EnsureDeleteIntent(transaction, old, terms.now));
  }
  return had_bytes ? CommitResult::kRevived : CommitResult::kStored;
}

}  // namespace

absl::Status ConfirmObject(BlobStorage* objects, const Blob& blob) {
  absl::Status status = objects->Check(blob.storage_key, blob.size_bytes);
  return absl::IsNotFound(status) || absl::IsDataLoss(status) ? GivenUp() : status;
}

absl::StatusOr<std::optional<CommitResult>> CommitUpload(kv::KvTransaction& transaction,
                                                         const RepositoryName& repository, const Blob& blob,
                                                         const CommitTerms& terms) {
  const std::string blob_key = keys::Blob(blob.digest);
  ASSIGN_OR_RETURN(std::optional<BlobRecord> found, kv::ReadRecord<BlobRecord>(transaction, blob_key));
  BlobRecord record = found.value_or(BlobRecord());
  ASSIGN_OR_RETURN(const std::optional<CommitResult> result, TakeOrDrop(transaction, blob, terms, &record));
  if (!result.has_value()) return std::nullopt;

  *record.mutable_lease_until() = ToTimestamp(std::max(FromTimestamp(record.lease_until()), terms.now + terms.lease));
  EnsureQueued(transaction, blob.digest, terms.now, &record);
  kv::WriteRecord(transaction, blob_key, record);

  RETURN_IF_ERROR(EnsureLink(transaction, blob.digest, repository, terms.now));
  return result;
}

absl::StatusOr<std::optional<CommitResult>> CommitUploadOfLive(kv::KvTransaction& transaction,
                                                               const RepositoryName& repository, const Blob& blob,
                                                               absl::Time now) {
  ASSIGN_OR_RETURN(const std::optional<BlobRecord> record,
                   kv::ReadRecord<BlobRecord>(transaction, keys::Blob(blob.digest)));
  if (!record.has_value() || record->state() != BlobRecord::LIVE) return std::nullopt;
  ASSIGN_OR_RETURN(const CommitResult result, DropCopy(transaction, blob, now, *record));
  RETURN_IF_ERROR(EnsureLink(transaction, blob.digest, repository, now));
  return result;
}

}  // namespace entrepot::manifest
