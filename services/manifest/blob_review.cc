#include "services/manifest/blob_review.h"

#include <algorithm>
#include <optional>

#include "services/manifest/metadata_keys.h"
#include "services/manifest/record_io.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {

using storage::v1::BlobRecord;

void EnsureReview(kv::KvTransaction& transaction, const Digest& digest, absl::Time now, BlobRecord* record) {
  if (record->has_review_due()) return;
  const absl::Time due = keys::RoundDue(std::max(now, FromTimestamp(record->lease_until())));
  *record->mutable_review_due() = ToTimestamp(due);
  WriteRecord(transaction, keys::Review(due, digest), storage::v1::ReviewRecord());
}

absl::Status ReviewBlob(kv::KvTransaction& transaction, const Digest& digest, absl::Time now) {
  ASSIGN_OR_RETURN(std::optional<BlobRecord> record, ReadRecord<BlobRecord>(transaction, keys::Blob(digest)));
  if (!record.has_value() || record->has_review_due()) return absl::OkStatus();
  EnsureReview(transaction, digest, now, &*record);
  WriteRecord(transaction, keys::Blob(digest), *record);
  return absl::OkStatus();
}

}  // namespace entrepot::manifest
