#include "services/manifest/records/review_queue.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_cursor.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using storage::v1::BlobRecord;

constexpr size_t kPage = 256;
constexpr absl::Duration kLastDuePrecision = absl::Seconds(1);

absl::Time DueOf(const BlobRecord& record, absl::Time now) {
  return keys::RoundDue(std::max(now, FromTimestamp(record.lease_until())));
}

absl::StatusOr<QueueCounts> Count(kv::KvReader& kv, absl::Time now, size_t limit, bool only_due) {
  QueueCounts counts;
  RecordCursor cursor(&kv, keys::Reviews(), "");
  for (;;) {
    ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
    if (entry == nullptr) return counts;
    const absl::StatusOr<keys::Decoded> key = keys::Decode(entry->key);
    if (!key.ok()) continue;
    if (only_due && *key->due > now) return counts;
    counts.more = counts.queued == limit;
    if (counts.more) return counts;
    ++counts.queued;
    if (*key->due <= now) ++counts.due;
    counts.oldest = std::min(counts.oldest, *key->due);
  }
}

}  // namespace

void EnsureQueued(kv::KvTransaction& transaction, const Digest& digest, absl::Time now, BlobRecord* record) {
  if (record->has_review_due()) return;
  const absl::Time due = DueOf(*record, now);
  *record->mutable_review_due() = ToTimestamp(due);
  kv::WriteRecord(transaction, keys::Review(due, digest), storage::v1::ReviewRecord());
}

absl::Status QueueForReview(kv::KvTransaction& transaction, const Digest& digest, absl::Time now) {
  ASSIGN_OR_RETURN(const std::optional<BlobRecord> record, kv::ReadRecord<BlobRecord>(transaction, keys::Blob(digest)));
  if (!record.has_value() || record->has_review_due()) return absl::OkStatus();
  kv::WriteRecord(transaction, keys::Review(DueOf(*record, now), digest), storage::v1::ReviewRecord());
  return absl::OkStatus();
}

absl::StatusOr<std::vector<QueueEntry>> DueReviews::NextPage() {
  std::vector<QueueEntry> due;
  while (due.empty() && !at_end_) {
    ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> page,
                     kv_->Scan({.prefix = keys::Reviews(), .start_after = position_, .limit = kPage}));
    at_end_ = page.size() < kPage;
    for (const kv::KeyValue& entry : page) {
      absl::StatusOr<keys::Decoded> key = keys::Decode(entry.key);
      if (key.ok() && *key->due > now_) {
        at_end_ = true;
        break;
      }
      position_ = entry.key;
      if (key.ok()) due.push_back({.due = *key->due, .digest = *std::move(key->digest)});
    }
  }
  PutInRandomOrder(*random_, &due);
  return due;
}

LaterReviews::LaterReviews(kv::KvReader* kv, absl::Time now) : kv_(kv), position_(keys::ReviewsUntil(now)) {}

absl::StatusOr<std::vector<QueuedBlob>> LaterReviews::NextPage(size_t limit) {
  limit = std::min(limit, kPageMax);
  ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> page,
                   kv_->Scan({.prefix = keys::Reviews(), .start_after = position_, .limit = limit}));
  at_end_ = page.size() < limit;
  if (!page.empty()) position_ = page.back().key;
  std::vector<QueueEntry> entries;
  std::vector<std::string> wanted;
  for (const kv::KeyValue& entry : page) {
    absl::StatusOr<keys::Decoded> key = keys::Decode(entry.key);
    if (!key.ok()) continue;
    wanted.push_back(keys::Blob(*key->digest));
    entries.push_back({.due = *key->due, .digest = *std::move(key->digest)});
  }
  ASSIGN_OR_RETURN(const std::vector<std::optional<std::string>> found, kv_->MultiGet(wanted));
  std::vector<QueuedBlob> blobs;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!found[i].has_value()) continue;
    absl::StatusOr<BlobRecord> record = kv::ParseRecord<BlobRecord>(wanted[i], *found[i]);
    if (record.ok()) blobs.push_back({.entry = std::move(entries[i]), .record = *std::move(record)});
  }
  return blobs;
}

absl::StatusOr<absl::Time> LastDue(kv::KvReader& kv, absl::Time now) {
  const auto any_after = [&kv](absl::Time time) -> absl::StatusOr<bool> {
    ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> found,
                     kv.Scan({.prefix = keys::Reviews(), .start_after = keys::ReviewsUntil(time), .limit = 1}));
    return !found.empty();
  };
  ASSIGN_OR_RETURN(bool later, any_after(now));
  if (!later) return now;
  // An entry is due after `from`; in the end none is due after `to`.
  absl::Time from = now;
  absl::Time to = now;
  for (absl::Duration step = absl::Hours(1); later; step *= 2) {
    from = to;
    to = now + step;
    ASSIGN_OR_RETURN(later, any_after(to));
  }
  while (to - from > kLastDuePrecision) {
    const absl::Time middle = from + (to - from) / 2;
    ASSIGN_OR_RETURN(later, any_after(middle));
    (later ? from : to) = middle;
  }
  return to;
}

absl::StatusOr<QueueCounts> CountQueue(kv::KvReader& kv, absl::Time now, size_t limit) {
  return Count(kv, now, limit, false);
}

absl::StatusOr<QueueCounts> CountDue(kv::KvReader& kv, absl::Time now, size_t limit) {
  return Count(kv, now, limit, true);
}

}  // namespace entrepot::manifest
