#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_CATALOG_METRICS_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_CATALOG_METRICS_H_

#include <cstdint>
#include <memory>

#include "prometheus/counter.h"
#include "prometheus/registry.h"
#include "services/manifest/format/manifest_validator.h"

namespace entrepot::manifest {

// How a sealed upload became a blob.
enum class CommitResult {
  // New bytes.
  kStored,
  // New bytes replaced those of a blob that was CONDEMNED or CORRUPT.
  kRevived,
  // The blob was LIVE; the new copy is dropped.
  kDeduplicated,
  // The same upload was committed before.
  kRepeated,
};

enum class MountResult { kMounted, kUnknown };

// The catalog's metrics; their names and help texts are in the source. Thread-safe.
class CatalogMetrics {
 public:
  // If `registry` is null, the metrics are counted but not exported.
  explicit CatalogMetrics(std::shared_ptr<prometheus::Registry> registry);

  void CountCommit(CommitResult result, uint64_t size_bytes);
  // `size_bytes` counts only if the blob was mounted.
  void CountMount(MountResult result, uint64_t size_bytes);
  void CountManifestPush(ManifestKind kind) { manifest_pushes_[static_cast<int>(kind)]->Increment(); }
  void CountManifestRejection() { manifest_rejections_->Increment(); }
  void CountManifestDeletion() { manifest_deletions_->Increment(); }
  void CountTagDeletion() { tag_deletions_->Increment(); }
  void CountUnlink() { blob_unlinks_->Increment(); }
  void CountLeaseRenewal() { lease_renewals_->Increment(); }

 private:
  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Counter* commits_[4];
  prometheus::Counter* deduplicated_bytes_;
  prometheus::Counter* mounts_[2];
  prometheus::Counter* mounted_bytes_;
  prometheus::Counter* manifest_pushes_[2];
  prometheus::Counter* manifest_rejections_;
  prometheus::Counter* manifest_deletions_;
  prometheus::Counter* tag_deletions_;
  prometheus::Counter* blob_unlinks_;
  prometheus::Counter* lease_renewals_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_CATALOG_METRICS_H_
