#ifndef ENTREPOT_SERVICES_MANIFEST_CACHES_CACHE_CONTENT_H_
#define ENTREPOT_SERVICES_MANIFEST_CACHES_CACHE_CONTENT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/core/time/stop_signal.h"
#include "services/kv/kv_engine.h"

// What the caches of one upstream hold, as eviction needs it. Manifests and blobs are named by their position.
namespace entrepot::manifest {

// Whether this is the record of a repository that exists and caches the upstream.
bool IsCacheOf(const std::optional<storage::v1::RepositoryRecord>& repository, absl::string_view upstream);

struct CachedManifest {
  // The position of its repository.
  uint32_t repository = 0;
  Digest digest;
  absl::Time used_at;
  uint64_t size_bytes = 0;
  // All that it refers to, except its subject.
  std::vector<uint32_t> blobs = {};
  // Manifests of its repository: those that it lists, those whose subject it is, and its own subject.
  std::vector<uint32_t> children = {};
  std::vector<uint32_t> referrers = {};
  std::optional<uint32_t> subject = std::nullopt;
};

// A digest that the manifests refer to.
struct CachedBlob {
  // 0 if there is no such LIVE blob.
  uint64_t size_bytes = 0;
  // How many of the manifests refer to it.
  uint32_t references = 0;
  // Something else refers to it too: a hosted repository, another upstream's cache, or a manifest that arrived since.
  bool needed_elsewhere = false;
};

struct CacheContent {
  // Bounds of the memory: about 400 bytes for each manifest, 200 for each digest that manifests refer to, and 4 for
  // each reference.
  static constexpr size_t kManifestsMax = 500'000;
  static constexpr size_t kBlobsMax = 2'000'000;

  std::vector<RepositoryName> repositories = {};
  std::vector<CachedManifest> manifests = {};
  std::vector<CachedBlob> blobs = {};
};

// Reads all repositories and the manifests of the upstream's caches, and looks for each blob that these need whether
// something else needs it. Takes no locks: what changes meanwhile may be seen or not. A manifest that cannot be read is
// left out, so what it needs counts as needed elsewhere. kResourceExhausted: there is more than the bounds allow.
// kCancelled: `pace` returned false.
absl::StatusOr<CacheContent> ReadCacheContent(kv::KvReader& kv, const std::string& upstream, const Pace& pace);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CACHES_CACHE_CONTENT_H_
