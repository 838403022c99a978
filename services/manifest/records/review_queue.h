#ifndef ENTREPOT_SERVICES_MANIFEST_RECORDS_REVIEW_QUEUE_H_
#define ENTREPOT_SERVICES_MANIFEST_RECORDS_REVIEW_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/digest.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/records/random_order.h"

// The review queue: every blob is deleted through a review of an entry q/<due>|<digest>. A blob that no manifest refers
// to has an entry, which is due when the blob's lease ends, or earlier. A blob may have several entries; a superfluous
// review does no harm. A blob whose record names an entry (BlobRecord.review_due) needs no other one. An entry may
// outlive its blob. gc/blob_review.h reviews the entries.
namespace entrepot::manifest {

// Queues the blob, unless `record` names an entry already, and sets the entry in `record`. The transaction must hold
// the blob exclusively, and must write `record` afterwards.
void EnsureQueued(kv::KvTransaction& transaction, const Digest& digest, absl::Time now,
                  storage::v1::BlobRecord* record);

// Queues the blob after a reference to it or a link was removed. Does nothing if its record names an entry, or if there
// is no such blob (the digest may be a manifest's). The transaction must hold the blob; shared suffices, so that
// deletes do not wait for pushes that share a base layer.
absl::Status QueueForReview(kv::KvTransaction& transaction, const Digest& digest, absl::Time now);

struct QueueEntry {
  absl::Time due;
  Digest digest;
};

// Reads the entries that are due, page by page, each entry once. Not thread-safe.
class DueReviews {
 public:
  // All pointers must outlive the DueReviews.
  DueReviews(kv::KvReader* kv, absl::Time now, const RandomBits* random) : kv_(kv), now_(now), random_(random) {}

  // In random order, so that several collectors rarely meet. Empty after the last page. Entries whose key cannot be
  // decoded are skipped; the check of invariants reports them.
  absl::StatusOr<std::vector<QueueEntry>> NextPage();

 private:
  kv::KvReader* const kv_;
  const absl::Time now_;
  const RandomBits* const random_;
  // The last key that was read. A scan from the beginning would be expensive: the entries before it are deleted by now.
  std::string position_;
  bool at_end_ = false;
};

struct QueuedBlob {
  QueueEntry entry;
  storage::v1::BlobRecord record;
};

// Reads the entries that are due later than `now` in the order of their due times, with the records of their blobs. Not
// thread-safe.
class LaterReviews {
 public:
  // Entries that are read at once at most.
  static constexpr size_t kPageMax = 256;

  // `kv` must outlive the LaterReviews.
  LaterReviews(kv::KvReader* kv, absl::Time now);

  // Reads the next entries, at most `limit`. Leaves out entries without a blob, and those that cannot be decoded; the
  // check of invariants reports these.
  absl::StatusOr<std::vector<QueuedBlob>> NextPage(size_t limit = kPageMax);
  // Whether there are no further entries. If it is false there may be none either.
  bool at_end() const { return at_end_; }

 private:
  kv::KvReader* const kv_;
  std::string position_;
  bool at_end_ = false;
};

struct QueueCounts {
  uint64_t queued = 0;
  uint64_t due = 0;
  // There are more entries than were counted.
  bool more = false;
  // The due time of the first entry; absl::InfiniteFuture() if there is none.
  absl::Time oldest = absl::InfiniteFuture();
};
// Counts the first `limit` entries of the queue.
absl::StatusOr<QueueCounts> CountQueue(kv::KvReader& kv, absl::Time now, size_t limit);
// The same for the entries that are due; reads no others.
absl::StatusOr<QueueCounts> CountDue(kv::KvReader& kv, absl::Time now, size_t limit);
// A time, within a second, until which all entries of the queue are due; `now` if none is due later. Searches the queue
// by its order, so its cost does not grow with the queue.
absl::StatusOr<absl::Time> LastDue(kv::KvReader& kv, absl::Time now);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RECORDS_REVIEW_QUEUE_H_
