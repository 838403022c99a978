#include "services/manifest/records/queue_entry.h"

#include <algorithm>
#include <optional>

#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_io.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {

using storage::v1::BlobRecord;

namespace {

absl::Time DueOf(const BlobRecord& record, absl::Time now) {
  return keys::RoundDue(std::max(now, FromTimestamp(record.lease_until())));
}

}  // namespace

void EnsureReview(kv::KvTransaction& transaction, const Digest& digest, absl::Time now, BlobRecord* record) {
  if (record->has_review_due()) return;
  const absl::Time due = DueOf(*record, now);
  *record->mutable_review_due() = ToTimestamp(due);
  WriteRecord(transaction, keys::Review(due, digest), storage::v1::ReviewRecord());
}

absl::Status ReviewBlob(kv::KvTransaction& transaction, const Digest& digest, absl::Time now) {
  ASSIGN_OR_RETURN(const std::optional<BlobRecord> record, ReadRecord<BlobRecord>(transaction, keys::Blob(digest)));
  if (!record.has_value() || record->has_review_due()) return absl::OkStatus();
  WriteRecord(transaction, keys::Review(DueOf(*record, now), digest), storage::v1::ReviewRecord());
  return absl::OkStatus();
}

}  // namespace entrepot::manifest
