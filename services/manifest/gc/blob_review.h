#ifndef ENTREPOT_SERVICES_MANIFEST_GC_BLOB_REVIEW_H_
#define ENTREPOT_SERVICES_MANIFEST_GC_BLOB_REVIEW_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

enum class ReviewResult {
  // Somebody else has done it.
  kGone,
  // There is no such blob.
  kUnknown,
  // A manifest needs it.
  kReferenced,
  // Looked at again when its lease is over.
  kLeased,
  // To be deleted once the grace is over.
  kCondemned,
  // Condemned already; another entry says when it goes.
  kWaiting,
  // Its record and its links are gone; its bytes are to be deleted.
  kDeleted,
  // Condemned although a manifest needs it, which cannot be; it is saved.
  kRevived,
};

struct BlobReview {
  ReviewResult result = ReviewResult::kGone;
  // kCondemned: when it is looked at again.
  absl::Time next = absl::InfiniteFuture();
  // kDeleted.
  std::optional<Blob> deleted = std::nullopt;
};

// Looks at one blob since its entry q/<due>|<digest> in the review queue is due, and takes it one step further (design,
// "Content records", 6 and 7). One transaction, not synced: what a power cut takes back is done once more. Any number
// may run at once.
absl::StatusOr<BlobReview> ReviewEntry(kv::KvEngine& kv, const Clock& clock, absl::Duration grace, absl::Time due,
                                       const Digest& digest);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GC_BLOB_REVIEW_H_
