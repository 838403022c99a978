#ifndef ENTREPOT_SERVICES_MANIFEST_SCRUB_BLOB_VERIFIER_H_
#define ENTREPOT_SERVICES_MANIFEST_SCRUB_BLOB_VERIFIER_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "prometheus/counter.h"
#include "prometheus/registry.h"
#include "services/core/blob_storage.h"
#include "services/core/content.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

enum class Finding {
  kGood,
  kCorrupt,
  kMissing,
  // The bytes are not those of a LIVE blob any more. Nothing was changed.
  kNoLongerLive,
};

// Verifies the bytes of blobs, and marks those blobs CORRUPT whose bytes are not what they should be. Thread-safe.
class BlobVerifier {
 public:
  // `kv`, `clock` and `objects` must outlive the verifier. Counts the results in the registry
  // (entrepot_scrub_bytes_total, entrepot_scrub_blobs_total), which may be null.
  BlobVerifier(kv::KvEngine* kv, const Clock* clock, BlobStorage* objects,
               const std::shared_ptr<prometheus::Registry>& registry);

  // Verifies a blob that was LIVE with that storage key a while ago. 0 bytes per second: no limit. kCorrupt, kMissing:
  // the blob is marked CORRUPT, durably, and its bytes are quarantined, or will be by the next pass. An error: the
  // bytes could not be verified, and nothing was changed.
  absl::StatusOr<Finding> Verify(const Blob& blob, uint64_t bytes_per_second);
  // Counts a blob that a pass had to leave.
  void CountFailed() { failed_.Increment(); }

 private:
  absl::StatusOr<Finding> MarkCorrupt(const Blob& blob, Finding finding);
  absl::StatusOr<Finding> VerifyUncounted(const Blob& blob, uint64_t bytes_per_second);

  kv::KvEngine& kv_;
  const Clock& clock_;
  BlobStorage& objects_;
  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Counter& read_bytes_;
  prometheus::Family<prometheus::Counter>& blobs_;
  prometheus::Counter* const found_[4];
  prometheus::Counter& failed_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_SCRUB_BLOB_VERIFIER_H_
