#include "services/manifest/gc/collection_dry_run.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/digest.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/blob_record.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_cursor.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using storage::v1::BlobRecord;
using storage::v1::DeleteIntentRecord;

constexpr int kDoomedMax = 1000;
constexpr size_t kAbandonedCounted = 10'000;

std::string Moment(absl::Time time) { return absl::FormatTime("%Y-%m-%d %H:%M", time, absl::UTCTimeZone()); }

std::string StateOf(const BlobRecord& record, absl::Time now) {
  if (record.state() == BlobRecord::CONDEMNED) {
    const absl::Time due = FromTimestamp(record.review_due());
    return due > now ? absl::StrCat("condemned, due at ", Moment(due)) : "condemned, due now";
  }
  const absl::Time lease_until = FromTimestamp(record.lease_until());
  return lease_until > now ? absl::StrCat("lease until ", Moment(lease_until)) : "due now";
}

absl::Status DryRunBlobs(kv::KvReader& kv, absl::Time now, CollectionRun* run) {
  v1::Collection& report = run->report();
  // A blob may have several entries, of which its record names at most one. Each blob is counted once.
  absl::flat_hash_set<std::string> without_own_entry;
  RecordCursor cursor(&kv, keys::Reviews(), "");
  for (;;) {
    ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
    if (entry == nullptr) return absl::OkStatus();
    ASSIGN_OR_RETURN(const keys::Decoded key, keys::Decode(entry->key));
    const Digest& digest = *key.digest;
    ASSIGN_OR_RETURN(const std::optional<BlobRecord> record, kv::ReadRecord<BlobRecord>(kv, keys::Blob(digest)));
    if (record.has_value()) {
      const bool counts = record->has_review_due() ? FromTimestamp(record->review_due()) == *key.due
                                                   : without_own_entry.insert(digest.ToString()).second;
      ASSIGN_OR_RETURN(const bool referred_to, IsReferredTo(kv, digest));
      report.set_reviewed(report.reviewed() + (counts ? 1 : 0));
      if (counts && !referred_to) {
        report.set_doomed_count(report.doomed_count() + 1);
        report.set_doomed_bytes(report.doomed_bytes() + record->size_bytes());
        if (report.doomed_size() < kDoomedMax) {
          v1::DoomedBlob* const doomed = report.add_doomed();
          doomed->set_digest(digest.ToString());
          doomed->set_size_bytes(record->size_bytes());
          doomed->set_state(StateOf(*record, now));
        }
      }
    }
    if (!run->KeepPace(1, 0)) return absl::OkStatus();
  }
}

absl::Status DryRunIntents(kv::KvReader& kv, CollectionRun* run) {
  v1::Collection& report = run->report();
  RecordCursor cursor(&kv, keys::DeleteIntents(), "");
  for (uint64_t read = 1;; ++read) {
    ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
    if (entry == nullptr) return absl::OkStatus();
    ASSIGN_OR_RETURN(const auto intent, kv::ParseRecord<DeleteIntentRecord>(entry->key, entry->value));
    if (!intent.suspect()) {
      report.set_swept(report.swept() + 1);
      report.set_swept_bytes(report.swept_bytes() + intent.size_bytes());
    }
    if (read % kRecordsAnOperation == 0 && !run->KeepPace(1, 0)) return absl::OkStatus();
  }
}

}  // namespace

absl::Status DryRunCollection(kv::KvReader& kv, BlobStorage& objects, absl::Time now, CollectionRun* run) {
  run->report().set_dry_run(true);
  RETURN_IF_ERROR(DryRunBlobs(kv, now, run));
  if (run->stopped()) return absl::OkStatus();
  RETURN_IF_ERROR(DryRunIntents(kv, run));
  if (run->stopped()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<Blob> abandoned, objects.ListAbandoned(kAbandonedCounted));
  run->report().set_abandoned(abandoned.size());
  return absl::OkStatus();
}

}  // namespace entrepot::manifest
