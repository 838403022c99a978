#ifndef ENTREPOT_SERVICES_MANIFEST_CACHES_EVICTION_PLAN_H_
#define ENTREPOT_SERVICES_MANIFEST_CACHES_EVICTION_PLAN_H_

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "services/manifest/caches/cache_content.h"

// Which images are evicted. An image is a manifest that nothing here keeps, with all that it keeps: the children that
// it lists, and the referrers of each of these. Images may share parts.
namespace entrepot::manifest {

// What is left of a content after some of its manifests have been removed.
class RemainingContent {
 public:
  // `content` must outlive it.
  explicit RemainingContent(const CacheContent* content);

  bool Has(uint32_t manifest) const { return remains_[manifest]; }
  // Removes one manifest. Returns the manifests that it kept and that nothing else here keeps.
  std::vector<uint32_t> RemoveOne(uint32_t manifest);
  // Removes a manifest with all that nothing else here keeps then.
  void RemoveImage(uint32_t manifest);

  // The bytes of the manifests and of the blobs that are needed by them only.
  uint64_t bytes() const { return bytes_; }
  uint64_t manifests() const { return manifests_; }
  // Whether the removals have freed the blob: it is here, and nothing needs it any more.
  bool Freed(uint32_t blob) const;

 private:
  bool IsKept(uint32_t manifest) const;

  const CacheContent& content_;
  std::vector<bool> remains_;
  // How many remaining manifests list it.
  std::vector<uint32_t> lists_;
  // How many remaining manifests refer to the blob.
  std::vector<uint32_t> references_;
  uint64_t bytes_ = 0;
  uint64_t manifests_ = 0;
};

struct CachedImage {
  // Its manifest that nothing keeps.
  uint32_t root = 0;
  // The latest use of one of its manifests.
  absl::Time used_at;
};

// All images, the least recently used first. Each manifest is part of at least one, also if hostile manifests keep one
// another.
std::vector<CachedImage> ImagesOf(const CacheContent& content);

// Chooses images until the rest needs at most `bytes_max`, the least recently used first. It leaves out images that
// were used after `used_until`, and the roots in `spared`. An image is chosen only if that frees a blob, or if none of
// its blobs is here. Images that free blobs only together are chosen together.
std::vector<CachedImage> ChooseImages(const CacheContent& content, uint64_t bytes_max, absl::Time used_until,
                                      const absl::flat_hash_set<uint32_t>& spared);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CACHES_EVICTION_PLAN_H_
