#include "services/manifest/catalog/catalog_metrics.h"

#include <utility>

#include "prometheus/family.h"

namespace entrepot::manifest {
namespace {

constexpr const char* kCommitResults[] = {"stored", "revived", "deduplicated", "repeated"};
constexpr const char* kMountResults[] = {"mounted", "unknown"};
constexpr const char* kManifestKinds[] = {"image", "index"};

prometheus::Family<prometheus::Counter>& AddFamily(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

prometheus::Counter* Add(prometheus::Registry& registry, const char* name, const char* help) {
  return &AddFamily(registry, name, help).Add({});
}

template <size_t Count>
void AddEach(prometheus::Family<prometheus::Counter>& family, const char* label, const char* const (&values)[Count],
             prometheus::Counter* (&counters)[Count]) {
  for (size_t i = 0; i < Count; ++i) counters[i] = &family.Add({{label, values[i]}});
}

}  // namespace

CatalogMetrics::CatalogMetrics(std::shared_ptr<prometheus::Registry> registry)
    : registry_(registry != nullptr ? std::move(registry) : std::make_shared<prometheus::Registry>()) {
  AddEach(AddFamily(*registry_, "entrepot_blob_commits_total", "Sealed uploads that became blobs."), "result",
          kCommitResults, commits_);
  deduplicated_bytes_ = Add(*registry_, "entrepot_deduplicated_bytes_total",
                            "Bytes of uploads that were dropped because the registry had them already.");
  AddEach(AddFamily(*registry_, "entrepot_mounts_total", "Requests to mount a blob from another repository."), "result",
          kMountResults, mounts_);
  mounted_bytes_ =
      Add(*registry_, "entrepot_mounted_bytes_total", "Bytes that clients mounted instead of sending them.");
  AddEach(AddFamily(*registry_, "entrepot_manifests_pushed_total",
                    "Manifests that were stored, for the first time or again."),
          "kind", kManifestKinds, manifest_pushes_);
  manifest_rejections_ = Add(*registry_, "entrepot_manifests_rejected_total",
                             "Manifests that were refused: invalid, or their content was missing.");
  manifest_deletions_ = Add(*registry_, "entrepot_manifests_deleted_total", "Manifests that clients deleted.");
  tag_deletions_ = Add(*registry_, "entrepot_tags_deleted_total", "Tags that clients deleted by their name.");
  blob_unlinks_ = Add(*registry_, "entrepot_blobs_unlinked_total", "Blobs that clients deleted from a repository.");
  lease_renewals_ = Add(*registry_, "entrepot_blob_lease_renewals_total", "Reads of a blob that renewed its lease.");
}

void CatalogMetrics::CountCommit(CommitResult result, uint64_t size_bytes) {
  commits_[static_cast<int>(result)]->Increment();
  if (result == CommitResult::kDeduplicated) deduplicated_bytes_->Increment(static_cast<double>(size_bytes));
}

void CatalogMetrics::CountMount(MountResult result, uint64_t size_bytes) {
  mounts_[static_cast<int>(result)]->Increment();
  if (result == MountResult::kMounted) mounted_bytes_->Increment(static_cast<double>(size_bytes));
}

}  // namespace entrepot::manifest
