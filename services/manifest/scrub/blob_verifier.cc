#include "services/manifest/scrub/blob_verifier.h"

#include <optional>
#include <string>
#include <utility>

#include "entrepot/storage/v1/manifest_records.pb.h"
#include "prometheus/family.h"
#include "services/core/failpoint/failpoint.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/catalog_locks.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/review_queue.h"
#include "services/runtime/log/json_log.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using kv::LockMode;
using runtime::LogLevel;
using storage::v1::BlobRecord;

}  // namespace

BlobVerifier::BlobVerifier(kv::KvEngine* kv, const Clock* clock, BlobStorage* objects,
                           const std::shared_ptr<prometheus::Registry>& registry)
    : kv_(*kv),
      clock_(*clock),
      objects_(*objects),
      registry_(registry != nullptr ? registry : std::make_shared<prometheus::Registry>()),
      read_bytes_(prometheus::BuildCounter()
                      .Name("entrepot_scrub_bytes_total")
                      .Help("Bytes of blobs that were verified and are good.")
                      .Register(*registry_)
                      .Add({})),
      blobs_(
          prometheus::BuildCounter()
              .Name("entrepot_scrub_blobs_total")
              .Help(
                  "Blobs that a pass visited, by result. settled: the blob changed meanwhile. failed: it could not be "
                  "verified or quarantined.")
              .Register(*registry_)),
      found_{&blobs_.Add({{"result", "good"}}), &blobs_.Add({{"result", "corrupt"}}),
             &blobs_.Add({{"result", "missing"}}), &blobs_.Add({{"result", "settled"}})},
      failed_(blobs_.Add({{"result", "failed"}})) {}

absl::StatusOr<Finding> BlobVerifier::Verify(const Blob& blob, uint64_t bytes_per_second) {
  ASSIGN_OR_RETURN(const Finding finding, VerifyUncounted(blob, bytes_per_second));
  found_[static_cast<int>(finding)]->Increment();
  if (finding == Finding::kGood) read_bytes_.Increment(static_cast<double>(blob.size_bytes));
  return finding;
}

absl::StatusOr<Finding> BlobVerifier::VerifyUncounted(const Blob& blob, uint64_t bytes_per_second) {
  absl::Status verified = objects_.Verify(blob, bytes_per_second);
  if (verified.ok()) return Finding::kGood;
  if (!absl::IsDataLoss(verified) && !absl::IsNotFound(verified)) return verified;
  ASSIGN_OR_RETURN(const Finding finding,
                   MarkCorrupt(blob, absl::IsDataLoss(verified) ? Finding::kCorrupt : Finding::kMissing));
  if (finding != Finding::kCorrupt && finding != Finding::kMissing) return finding;

  runtime::Log(LogLevel::kError, "a blob is corrupt; push it again to heal it",
               {{"digest", blob.digest.ToString()},
                {"storage_key", blob.storage_key.ToString()},
                {"error", verified.message()}});
  RETURN_IF_ERROR(Failpoint("manifest.scrubber.marked"));
  // If they turn up again they may be good, and the next push of the blob needs them as little as now.
  if (finding == Finding::kMissing) return finding;
  if (const absl::Status status = objects_.Quarantine(blob.storage_key); !status.ok()) {
    runtime::Log(LogLevel::kWarning, "the bytes of a corrupt blob could not be quarantined yet",
                 {{"storage_key", blob.storage_key.ToString()}, {"error", status.message()}});
  }
  return finding;
}

absl::StatusOr<Finding> BlobVerifier::MarkCorrupt(const Blob& blob, Finding finding) {
  const std::string key = keys::Blob(blob.digest);
  CatalogLocks locks;
  locks.Blob(blob.digest, LockMode::kExclusive);
  Finding marked = Finding::kNoLongerLive;
  RETURN_IF_ERROR(kv_.Transact(std::move(locks).Take(), [&](kv::KvTransaction& transaction) -> absl::Status {
    marked = Finding::kNoLongerLive;
    ASSIGN_OR_RETURN(std::optional<BlobRecord> record, kv::ReadRecord<BlobRecord>(transaction, key));
    const bool is_current = record.has_value() && record->state() == BlobRecord::LIVE &&
                            record->storage_key() == blob.storage_key.ToString();
    if (!is_current) return absl::OkStatus();
    if (finding == Finding::kMissing) {
      // The bytes of a LIVE blob are never swept: while this transaction holds the blob, they exist or are lost.
      absl::Status exists = objects_.Check(blob.storage_key, blob.size_bytes);
      if (exists.ok()) return absl::OkStatus();
      if (!absl::IsNotFound(exists) && !absl::IsDataLoss(exists)) return exists;
    }
    const absl::Time now = clock_.Now();
    record->set_state(BlobRecord::CORRUPT);
    *record->mutable_corrupt_since() = ToTimestamp(now);
    EnsureQueued(transaction, blob.digest, now, &*record);
    kv::WriteRecord(transaction, key, *record);
    marked = finding;
    return absl::OkStatus();
  }));
  return marked;
}

}  // namespace entrepot::manifest
