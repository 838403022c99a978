#include "services/manifest/gc/blob_review.h"

#include <string>
#include <utility>
#include <vector>

#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/failpoint/failpoint.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/blob_record.h"
#include "services/manifest/records/catalog_locks.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_cursor.h"
#include "services/runtime/log/json_log.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using kv::LockMode;
using storage::v1::BlobRecord;

// One review, within a transaction that holds the blob and its object exclusively.
class BlobReviewer {
 public:
  BlobReviewer(kv::KvTransaction& transaction, absl::Time due, const Digest& digest, absl::Time now,
               const ReviewTerms& terms)
      : transaction_(transaction), due_(due), digest_(digest), now_(now), terms_(terms) {}

  // `record` must name the object that the transaction holds.
  absl::StatusOr<BlobReview> Run(std::optional<BlobRecord> record) && {
    ASSIGN_OR_RETURN(const std::optional<std::string> entry, transaction_.Get(keys::Review(due_, digest_)));
    if (!entry.has_value()) return BlobReview{.result = ReviewResult::kGone};
    transaction_.Delete(keys::Review(due_, digest_));
    if (!record.has_value()) return BlobReview{.result = ReviewResult::kUnknown};
    record_ = *std::move(record);
    return record_.state() == BlobRecord::CONDEMNED ? ReviewCondemned() : ReviewNotCondemned();
  }

 private:
  bool IsEntryOfRecord() const { return record_.has_review_due() && FromTimestamp(record_.review_due()) == due_; }

  absl::StatusOr<BlobReview> ReviewNotCondemned() {
    ASSIGN_OR_RETURN(const bool referred_to, IsReferredTo(transaction_, digest_));
    if (referred_to) {
      if (IsEntryOfRecord()) Reschedule(std::nullopt);
      return BlobReview{.result = ReviewResult::kReferenced};
    }
    const absl::Time lease_until = FromTimestamp(record_.lease_until());
    if (lease_until > now_) {
      if (IsEntryOfRecord() || !record_.has_review_due()) Reschedule(lease_until);
      return BlobReview{.result = ReviewResult::kLeased};
    }
    record_.set_state(BlobRecord::CONDEMNED);
    return BlobReview{.result = ReviewResult::kCondemned, .next = Reschedule(now_ + terms_.grace)};
  }

  absl::StatusOr<BlobReview> ReviewCondemned() {
    if (!record_.has_review_due()) {
      return BlobReview{.result = ReviewResult::kCondemned, .next = Reschedule(now_ + terms_.grace)};
    }
    const bool in_grace = FromTimestamp(record_.review_due()) > now_;
    if (in_grace && !MaySkipGrace()) {
      // The grace is not over, so the blob stays. If this entry is older than the record's own, that one is still
      // queued. If this entry is the record's own, the clock was set back after the entry was due, and the entry stays.
      if (IsEntryOfRecord()) kv::WriteRecord(transaction_, keys::Review(due_, digest_), storage::v1::ReviewRecord());
      return BlobReview{.result = ReviewResult::kWaiting};
    }
    ASSIGN_OR_RETURN(const bool referred_to, IsReferredTo(transaction_, digest_));
    if (!referred_to) return Delete(in_grace);
    ASSIGN_OR_RETURN(const bool was_needed, IsReferredToAsPresent());
    record_.set_state(record_.has_corrupt_since() ? BlobRecord::CORRUPT : BlobRecord::LIVE);
    record_.set_generation(record_.generation() + 1);
    Reschedule(std::nullopt);
    return BlobReview{.result = was_needed ? ReviewResult::kRevived : ReviewResult::kReferenced};
  }

  // Whether some manifest refers to the blob, and the blob was LIVE when that manifest was pushed.
  absl::StatusOr<bool> IsReferredToAsPresent() {
    RecordCursor cursor(&transaction_, keys::ReferencesTo(digest_), "");
    for (;;) {
      ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
      if (entry == nullptr) return false;
      ASSIGN_OR_RETURN(const auto reference, kv::ParseRecord<storage::v1::ReferenceRecord>(entry->key, entry->value));
      if (!reference.absent()) return true;
    }
  }

  // Writes the record with an entry that is due at `next`, or without an entry, instead of the one that it named.
  absl::Time Reschedule(std::optional<absl::Time> next) {
    if (record_.has_review_due()) transaction_.Delete(keys::Review(FromTimestamp(record_.review_due()), digest_));
    record_.clear_review_due();
    absl::Time due = absl::InfiniteFuture();
    if (next.has_value()) {
      due = keys::RoundDue(*next);
      *record_.mutable_review_due() = ToTimestamp(due);
      kv::WriteRecord(transaction_, keys::Review(due, digest_), storage::v1::ReviewRecord());
    }
    kv::WriteRecord(transaction_, keys::Blob(digest_), record_);
    return due;
  }

  bool MaySkipGrace() const {
    if (!terms_.skip_grace_by_lease.has_value()) return false;
    const absl::Time found_last = FromTimestamp(record_.lease_until()) - *terms_.skip_grace_by_lease / 2;
    return found_last + terms_.grace <= now_;
  }

  absl::StatusOr<BlobReview> Delete(bool in_grace) {
    ASSIGN_OR_RETURN(Blob blob, ToBlob(digest_, record_));
    std::vector<std::string> links;
    RecordCursor cursor(&transaction_, keys::LinksOf(digest_), "");
    for (;;) {
      ASSIGN_OR_RETURN(const kv::KeyValue* const link, cursor.Next());
      if (link == nullptr) break;
      links.push_back(link->key);
    }
    for (const std::string& link : links) transaction_.Delete(link);
    transaction_.Delete(keys::Review(FromTimestamp(record_.review_due()), digest_));
    transaction_.Delete(keys::Blob(digest_));
    RETURN_IF_ERROR(EnsureDeleteIntent(transaction_, blob, now_));
    return BlobReview{.result = ReviewResult::kDeleted, .deleted = std::move(blob), .skipped_grace = in_grace};
  }

  kv::KvTransaction& transaction_;
  const absl::Time due_;
  const Digest& digest_;
  const absl::Time now_;
  const ReviewTerms& terms_;
  BlobRecord record_;
};

absl::Status ReachFailpointOf(ReviewResult result) {
  if (result == ReviewResult::kCondemned) return Failpoint("manifest.collector.condemned");
  if (result == ReviewResult::kDeleted) return Failpoint("manifest.collector.deleted");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<BlobReview> ReviewBlob(kv::KvEngine& kv, const Clock& clock, const ReviewTerms& terms, absl::Time due,
                                      const Digest& digest) {
  const std::string blob_key = keys::Blob(digest);
  for (;;) {
    ASSIGN_OR_RETURN(const std::optional<BlobRecord> before, kv::ReadRecord<BlobRecord>(kv, blob_key));
    CatalogLocks locks;
    locks.Blob(digest, LockMode::kExclusive);
    if (before.has_value()) {
      ASSIGN_OR_RETURN(const Blob held, ToBlob(digest, *before));
      locks.Object(held.storage_key, LockMode::kExclusive);
    }
    std::optional<BlobReview> review;
    const auto look = [&](kv::KvTransaction& transaction) -> absl::Status {
      review.reset();
      ASSIGN_OR_RETURN(std::optional<BlobRecord> record, kv::ReadRecord<BlobRecord>(transaction, blob_key));
      // The blob was pushed or deleted since: start over.
      const bool bytes_are_held =
          !record.has_value() || (before.has_value() && record->storage_key() == before->storage_key());
      if (!bytes_are_held) return absl::OkStatus();
      ASSIGN_OR_RETURN(review, BlobReviewer(transaction, due, digest, clock.Now(), terms).Run(std::move(record)));
      return absl::OkStatus();
    };
    RETURN_IF_ERROR(kv.Transact(std::move(locks).Take(), look, kv::Durability::kBuffered));
    if (!review.has_value()) continue;
    if (review->result == ReviewResult::kRevived) {
      runtime::Log(runtime::LogLevel::kError, "a blob was condemned although a manifest refers to it; it is revived",
                   {{"digest", digest.ToString()}});
    }
    RETURN_IF_ERROR(ReachFailpointOf(review->result));
    return *std::move(review);
  }
}

}  // namespace entrepot::manifest
