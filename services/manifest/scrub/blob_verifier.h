#ifndef ENTREPOT_SERVICES_MANIFEST_SCRUB_BLOB_VERIFIER_H_
#define ENTREPOT_SERVICES_MANIFEST_SCRUB_BLOB_VERIFIER_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "prometheus/counter.h"
#include "prometheus/registry.h"
#include "services/core/content.h"
#include "services/core/object_access.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

enum class Finding {
  kGood,
  kCorrupt,
  kMissing,
  // Not the blob's bytes any more, or not the bytes of a LIVE blob: nothing was changed.
  kSettled,
};

// Reads the bytes of a blob again, and marks the blob where they are not what they should be. Thread-safe.
class BlobExamination {
 public:
  // `kv`, `clock` and `objects` outlive it. What it reads and finds is counted in the registry
  // (entrepot_scrub_bytes_total, entrepot_scrub_blobs_total).
  BlobExamination(kv::KvEngine* kv, const Clock* clock, ObjectAccess* objects,
                  const std::shared_ptr<prometheus::Registry>& registry);

  // Of a blob that was LIVE with that storage key a while ago. kCorrupt, kMissing: it is marked now, durably, and its
  // bytes are quarantined, or will be with the next pass. Errors: nothing is known, nothing was changed.
  absl::StatusOr<Finding> Examine(const Blob& blob, uint64_t bytes_per_second);

 private:
  absl::StatusOr<Finding> Mark(const Blob& blob, Finding finding);
  absl::StatusOr<Finding> Look(const Blob& blob, uint64_t bytes_per_second);

  kv::KvEngine& kv_;
  const Clock& clock_;
  ObjectAccess& objects_;
  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Counter& read_bytes_;
  prometheus::Family<prometheus::Counter>& blobs_;
  prometheus::Counter* const found_[4];
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_SCRUB_BLOB_VERIFIER_H_
