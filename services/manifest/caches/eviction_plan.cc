#include "services/manifest/caches/eviction_plan.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace entrepot::manifest {
namespace {

// Each attempt comes closer to the target; what is missing at the end is less than the size of a few manifests.
constexpr int kAttemptsMax = 8;

bool IsRoot(const CacheContent& content, const std::vector<uint32_t>& lists, uint32_t manifest) {
  return lists[manifest] == 0 && !content.manifests[manifest].subject.has_value();
}

std::vector<uint32_t> CountLists(const CacheContent& content) {
  std::vector<uint32_t> lists(content.manifests.size());
  for (const CachedManifest& manifest : content.manifests) {
    for (const uint32_t child : manifest.children) ++lists[child];
  }
  return lists;
}

// The roots of images, and all manifests in an order in which each comes after what it keeps.
struct ImageOrder {
  std::vector<uint32_t> roots = {};
  std::vector<uint32_t> kept_first = {};
};

// Without recursion: hostile indexes may be nested deeply.
class OrderWalk {
 public:
  explicit OrderWalk(const CacheContent& content) : content_(content), visited_(content.manifests.size()) {}

  ImageOrder Run() && {
    const std::vector<uint32_t> lists = CountLists(content_);
    for (uint32_t i = 0; i < content_.manifests.size(); ++i) {
      if (IsRoot(content_, lists, i)) Visit(i);
    }
    // An index may list its own subject: then each of the two keeps the other.
    for (uint32_t i = 0; i < content_.manifests.size(); ++i) Visit(i);
    return std::move(order_);
  }

 private:
  struct Place {
    uint32_t manifest;
    size_t next = 0;
  };

  void Visit(uint32_t root) {
    if (visited_[root]) return;
    order_.roots.push_back(root);
    Enter(root);
    while (!path_.empty()) {
      Place& place = path_.back();
      const CachedManifest& manifest = content_.manifests[place.manifest];
      const size_t next = place.next++;
      if (next < manifest.children.size()) {
        Enter(manifest.children[next]);
      } else if (next - manifest.children.size() < manifest.referrers.size()) {
        Enter(manifest.referrers[next - manifest.children.size()]);
      } else {
        order_.kept_first.push_back(place.manifest);
        path_.pop_back();
      }
    }
  }

  void Enter(uint32_t manifest) {
    if (visited_[manifest]) return;
    visited_[manifest] = true;
    path_.push_back({manifest});
  }

  const CacheContent& content_;
  std::vector<bool> visited_;
  std::vector<Place> path_;
  ImageOrder order_;
};

// Makes the value of each manifest that of itself and all that it keeps.
template <typename Value, typename Combine>
void Gather(const CacheContent& content, const ImageOrder& order, const Combine& combine, std::vector<Value>* values) {
  for (const uint32_t manifest : order.kept_first) {
    Value value = (*values)[manifest];
    for (const uint32_t child : content.manifests[manifest].children) value = combine(value, (*values)[child]);
    for (const uint32_t referrer : content.manifests[manifest].referrers) value = combine(value, (*values)[referrer]);
    (*values)[manifest] = value;
  }
}

std::vector<CachedImage> Sorted(const CacheContent& content, const ImageOrder& order) {
  std::vector<absl::Time> used;
  used.reserve(content.manifests.size());
  for (const CachedManifest& manifest : content.manifests) used.push_back(manifest.used_at);
  Gather(
      content, order, [](absl::Time a, absl::Time b) { return std::max(a, b); }, &used);
  std::vector<CachedImage> images;
  images.reserve(order.roots.size());
  for (const uint32_t root : order.roots) images.push_back({root, used[root]});
  std::stable_sort(images.begin(), images.end(),
                   [](const CachedImage& a, const CachedImage& b) { return a.used_at < b.used_at; });
  return images;
}

// For each manifest, whether `holds` is true for one of its blobs or of those of what it keeps.
template <typename Holds>
std::vector<char> AnyBlob(const CacheContent& content, const ImageOrder& order, const Holds& holds) {
  std::vector<char> any(content.manifests.size());
  for (size_t i = 0; i < content.manifests.size(); ++i) {
    const std::vector<uint32_t>& blobs = content.manifests[i].blobs;
    any[i] = std::any_of(blobs.begin(), blobs.end(), holds) ? 1 : 0;
  }
  Gather(
      content, order, [](char a, char b) { return std::max(a, b); }, &any);
  return any;
}

}  // namespace

RemainingContent::RemainingContent(const CacheContent* content)
    : content_(*content),
      remains_(content->manifests.size(), true),
      lists_(CountLists(*content)),
      manifests_(content->manifests.size()) {
  for (const CachedManifest& manifest : content_.manifests) bytes_ += manifest.size_bytes;
  references_.reserve(content_.blobs.size());
  for (const CachedBlob& blob : content_.blobs) {
    references_.push_back(blob.references);
    if (!blob.needed_elsewhere) bytes_ += blob.size_bytes;
  }
}

bool RemainingContent::IsKept(uint32_t manifest) const {
  const std::optional<uint32_t>& subject = content_.manifests[manifest].subject;
  return lists_[manifest] > 0 || (subject.has_value() && Has(*subject));
}

std::vector<uint32_t> RemainingContent::RemoveOne(uint32_t manifest) {
  const CachedManifest& removed = content_.manifests[manifest];
  remains_[manifest] = false;
  --manifests_;
  bytes_ -= removed.size_bytes;
  for (const uint32_t blob : removed.blobs) {
    --references_[blob];
    if (Freed(blob)) bytes_ -= content_.blobs[blob].size_bytes;
  }
  for (const uint32_t child : removed.children) --lists_[child];
  std::vector<uint32_t> left;
  for (const std::vector<uint32_t>* const kept : {&removed.children, &removed.referrers}) {
    for (const uint32_t other : *kept) {
      if (Has(other) && !IsKept(other)) left.push_back(other);
    }
  }
  return left;
}

void RemainingContent::RemoveImage(uint32_t manifest) {
  std::vector<uint32_t> left = {manifest};
  while (!left.empty()) {
    const uint32_t next = left.back();
    left.pop_back();
    if (!Has(next)) continue;
    for (const uint32_t other : RemoveOne(next)) left.push_back(other);
  }
}

bool RemainingContent::Freed(uint32_t blob) const {
  return references_[blob] == 0 && content_.blobs[blob].size_bytes > 0 && !content_.blobs[blob].needed_elsewhere;
}

std::vector<CachedImage> ImagesOf(const CacheContent& content) { return Sorted(content, OrderWalk(content).Run()); }

std::vector<CachedImage> ChooseImages(const CacheContent& content, uint64_t bytes_max, absl::Time used_until,
                                      const absl::flat_hash_set<uint32_t>& spared) {
  const ImageOrder order = OrderWalk(content).Run();
  const std::vector<CachedImage> images = Sorted(content, order);
  const std::vector<char> has =
      AnyBlob(content, order, [&](uint32_t blob) { return content.blobs[blob].size_bytes > 0; });
  uint64_t target = bytes_max;
  for (int attempt = 1;; ++attempt) {
    RemainingContent without_all(&content);
    std::vector<CachedImage> chosen;
    for (const CachedImage& image : images) {
      if (without_all.bytes() <= target || image.used_at > used_until) break;
      if (spared.contains(image.root) || !without_all.Has(image.root)) continue;
      without_all.RemoveImage(image.root);
      chosen.push_back(image);
    }
    const std::vector<char> frees = AnyBlob(content, order, [&](uint32_t blob) { return without_all.Freed(blob); });
    chosen.erase(
        std::remove_if(chosen.begin(), chosen.end(),
                       [&](const CachedImage& image) { return has[image.root] != 0 && frees[image.root] == 0; }),
        chosen.end());
    RemainingContent rest(&content);
    for (const CachedImage& image : chosen) {
      if (rest.Has(image.root)) rest.RemoveImage(image.root);
    }
    if (rest.bytes() <= bytes_max || without_all.bytes() > target || attempt == kAttemptsMax) return chosen;
    // The manifests of the images that stay were counted as removed.
    target -= std::min(target, rest.bytes() - bytes_max);
  }
}

}  // namespace entrepot::manifest
