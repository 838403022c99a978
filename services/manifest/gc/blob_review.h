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
  // The queue entry is gone: another collector has reviewed the blob.
  kGone,
  // There is no such blob.
  kUnknown,
  // A manifest refers to the blob; it is kept. If it was CONDEMNED, it was revived: the manifest was pushed since, and
  // its repository's policy let the blob be absent.
  kReferenced,
  // The lease is not over; the blob is queued for its end.
  kLeased,
  // The blob was condemned now, and is queued for the end of the grace.
  kCondemned,
  // The blob is CONDEMNED and the grace is not over; another entry is due then.
  kWaiting,
  // The blob was deleted; its object is deletable.
  kDeleted,
  // The blob was CONDEMNED although a manifest needs it that found it LIVE, which violates an invariant; it was
  // revived.
  kRevived,
};

struct BlobReview {
  ReviewResult result = ReviewResult::kGone;
  // kCondemned: when the blob is due again.
  absl::Time next = absl::InfiniteFuture();
  // kDeleted: the blob that was deleted, and whether its grace was not over.
  std::optional<Blob> deleted = std::nullopt;
  bool skipped_grace = false;
};

struct ReviewTerms {
  absl::Duration grace;
  // If set, a CONDEMNED blob is deleted before the end of its grace, unless a pull may still read it. Each request that
  // finds a blob leaves it at least half a lease of this length, so the last one that found it came half a lease before
  // the end of the lease or earlier; the blob is deleted if that was a grace ago.
  std::optional<absl::Duration> skip_grace_by_lease = std::nullopt;
};

// Reviews the blob of the queue entry q/<due>|<digest>, which must be due unless graces are skipped: takes the blob one
// step further in its life cycle (records/blob_record.h). One transaction, not synced: if a power cut undoes it, it is
// done again. Any number of reviews may run at once.
absl::StatusOr<BlobReview> ReviewBlob(kv::KvEngine& kv, const Clock& clock, const ReviewTerms& terms, absl::Time due,
                                      const Digest& digest);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GC_BLOB_REVIEW_H_
