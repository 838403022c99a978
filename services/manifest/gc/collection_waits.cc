#include "services/manifest/gc/collection_waits.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/time/proto_time.h"
#include "services/core/waiting.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/blob_record.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_cursor.h"
#include "services/manifest/records/review_queue.h"
#include "services/status/status_macros.h"
#include "services/wire/waiting_messages.h"

namespace entrepot::manifest {
namespace {

using storage::v1::BlobRecord;
using storage::v1::DeleteIntentRecord;

// The blob service counts so many at most in one call.
constexpr size_t kQuarantinedMax = 10'000;

bool KeepPace(const Pace& pace, uint64_t operations) { return !pace || pace(operations, 0); }

class QueueReader {
 public:
  QueueReader(kv::KvReader& kv, absl::Time now) : kv_(kv), now_(now) {}

  absl::Status Read(size_t limit, const Pace& pace) {
    LaterReviews later(&kv_, now_);
    for (size_t left = limit; left > 0 && !later.at_end();) {
      const size_t wanted = std::min(left, LaterReviews::kPageMax);
      ASSIGN_OR_RETURN(const std::vector<QueuedBlob> page, later.NextPage(wanted));
      for (const QueuedBlob& blob : page) RETURN_IF_ERROR(AddBlob(blob.entry, blob.record));
      left -= wanted;
      if (!KeepPace(pace, 1 + page.size() / kRecordsAnOperation)) break;
    }
    if (later.at_end()) return absl::OkStatus();
    RETURN_IF_ERROR(later.NextPage(1).status());
    return later.at_end() ? absl::OkStatus() : NoteRest();
  }

  const Waiting& condemned() const { return condemned_; }
  const Waiting& leased() const { return leased_; }

 private:
  absl::Status AddBlob(const QueueEntry& entry, const BlobRecord& record) {
    // A blob may have several entries, of which its record names at most one. Each blob is counted once.
    const bool counts = record.has_review_due() ? FromTimestamp(record.review_due()) == entry.due
                                                : without_own_entry_.insert(entry.digest.ToString()).second;
    if (!counts) return absl::OkStatus();
    if (record.state() == BlobRecord::CONDEMNED) {
      condemned_.Add(record.size_bytes(), entry.due);
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const bool referred_to, IsReferredTo(kv_, entry.digest));
    // The lease may have been renewed since the blob was queued.
    const absl::Time until = std::max(entry.due, FromTimestamp(record.lease_until()));
    if (!referred_to) leased_.Add(record.size_bytes(), until);
    return absl::OkStatus();
  }

  // There are further entries, which may be of each kind.
  absl::Status NoteRest() {
    ASSIGN_OR_RETURN(const absl::Time last, LastDue(kv_, now_));
    for (Waiting* const waiting : {&condemned_, &leased_}) {
      waiting->more = true;
      if (waiting->last_at.has_value()) waiting->last_at = std::max(*waiting->last_at, last);
    }
    return absl::OkStatus();
  }

  kv::KvReader& kv_;
  const absl::Time now_;
  Waiting condemned_;
  Waiting leased_;
  absl::flat_hash_set<std::string> without_own_entry_;
};

absl::StatusOr<Waiting> ReadDeletable(kv::KvReader& kv, size_t limit, const Pace& pace) {
  Waiting deletable;
  RecordCursor cursor(&kv, keys::DeleteIntents(), "");
  for (size_t read = 0;; ++read) {
    ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
    if (entry == nullptr) return deletable;
    deletable.more = read == limit || (read % kRecordsAnOperation == 0 && !KeepPace(pace, 1));
    if (deletable.more) return deletable;
    const auto intent = kv::ParseRecord<DeleteIntentRecord>(entry->key, entry->value);
    if (intent.ok() && !intent->suspect()) deletable.Add(intent->size_bytes(), FromTimestamp(intent->created_at()));
  }
}

}  // namespace

absl::StatusOr<v1::Waits> ReadWaits(kv::KvReader& kv, BlobStorage& objects, absl::Time now, size_t limit,
                                    const Pace& pace) {
  v1::Waits waits;
  QueueReader queue(kv, now);
  RETURN_IF_ERROR(queue.Read(limit, pace));
  *waits.mutable_condemned() = ToMessage(queue.condemned());
  *waits.mutable_leased() = ToMessage(queue.leased());
  ASSIGN_OR_RETURN(const Waiting deletable, ReadDeletable(kv, limit, pace));
  *waits.mutable_deletable() = ToMessage(deletable);
  const absl::StatusOr<Waiting> quarantined = objects.CountQuarantined(std::min(limit, kQuarantinedMax));
  if (quarantined.ok()) *waits.mutable_quarantined() = ToMessage(*quarantined);
  return waits;
}

}  // namespace entrepot::manifest
