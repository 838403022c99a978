#ifndef ENTREPOT_SERVICES_MANIFEST_RECORDS_REVIEW_QUEUE_H_
#define ENTREPOT_SERVICES_MANIFEST_RECORDS_REVIEW_QUEUE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/digest.h"
#include "services/core/random_order.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

struct QueueEntry {
  absl::Time due;
  Digest digest;
};

// What is due in the review queue, page by page, each entry once. Not thread-safe.
class DueReviews {
 public:
  // What is pointed to outlives it.
  DueReviews(kv::KvReader* kv, absl::Time now, const RandomBits* random) : kv_(kv), now_(now), random_(random) {}

  // In no order, so that several collectors meet at few of them. Empty behind the last one.
  absl::StatusOr<std::vector<QueueEntry>> NextPage();

 private:
  kv::KvReader* const kv_;
  const absl::Time now_;
  const RandomBits* const random_;
  // What was read lies behind, and would cost a scan dearly: it is deleted by now.
  std::string position_;
  bool at_end_ = false;
};

struct QueueCounts {
  uint64_t queued = 0;
  uint64_t due = 0;
  // absl::InfiniteFuture(): nothing is queued.
  absl::Time oldest = absl::InfiniteFuture();
};
// Reads all of it.
absl::StatusOr<QueueCounts> CountQueue(kv::KvReader& kv, absl::Time now);
// Reads only what is due, and leaves `queued` at that.
absl::StatusOr<QueueCounts> CountDue(kv::KvReader& kv, absl::Time now);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RECORDS_REVIEW_QUEUE_H_
