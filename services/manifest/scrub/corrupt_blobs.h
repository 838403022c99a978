#ifndef ENTREPOT_SERVICES_MANIFEST_SCRUB_CORRUPT_BLOBS_H_
#define ENTREPOT_SERVICES_MANIFEST_SCRUB_CORRUPT_BLOBS_H_

#include <memory>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"
#include "services/core/digest.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// The set of CORRUPT blobs, and their number (entrepot_scrub_corrupt_blobs). It is found by reading all records now and
// then; in between, blobs that are marked are added, and blobs that pushes heal are removed. Thread-safe.
class CorruptBlobs {
 public:
  // `kv` and `clock` must outlive the CorruptBlobs. `registry` may be null.
  CorruptBlobs(kv::KvEngine* kv, const Clock* clock, const std::shared_ptr<prometheus::Registry>& registry);

  // Adds a blob that was marked just now.
  void Add(const Digest& digest);
  // Count(), unless the blobs have been counted already.
  absl::Status EnsureCounted();
  // Reads all blob records.
  absl::Status Count();
  // Removes the known blobs that have been healed or deleted. Reads at most once a minute.
  absl::Status Recheck();
  // EnsureCounted(), and sets MaintenanceStatus.corrupt.
  absl::Status FillStatus(v1::MaintenanceStatus* status);

 private:
  absl::Status Describe(const Digest& digest, const storage::v1::BlobRecord& record, v1::CorruptBlob* blob);
  void UpdateGauge() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  kv::KvEngine& kv_;
  const Clock& clock_;
  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Gauge& gauge_;
  // Held while all records are read.
  absl::Mutex reading_;
  absl::Mutex mutex_ ABSL_ACQUIRED_AFTER(reading_);
  std::set<Digest> known_ ABSL_GUARDED_BY(mutex_);
  std::set<Digest> added_while_reading_ ABSL_GUARDED_BY(mutex_);
  bool counted_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time checked_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_SCRUB_CORRUPT_BLOBS_H_
