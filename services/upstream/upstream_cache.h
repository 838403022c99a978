#ifndef ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_CACHE_H_
#define ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_CACHE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "entrepot/upstream/v1/upstream_service.pb.h"
#include "prometheus/registry.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/reference.h"
#include "services/core/repository_name.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"
#include "services/upstream/cache_store.h"
#include "services/upstream/fetch/blob_fetches.h"
#include "services/upstream/names/upstreams_file.h"

namespace entrepot::upstream {

struct ResolvedManifest {
  Digest digest;
  std::string media_type;
  uint64_t size_bytes = 0;
  // The manifest service has it. Always, unless only metadata was asked for.
  bool stored = false;
  // Why the upstream could not confirm it; empty if it is not stale.
  std::string stale_reason;
  absl::Duration age;
};

struct StoredBlob {
  uint64_t size_bytes = 0;
};

// The content of upstreams in the repositories of this registry: what is asked for and is not here is fetched; what is
// here is served, and tags are asked for again when their time is over. Repositories are named as they are here
// ("docker.io/library/nginx"). Thread-safe; calls block, on the store and on upstreams.
//
// Errors: kNotFound (MANIFEST_UNKNOWN, BLOB_UNKNOWN, NAME_UNKNOWN): the upstream has no such thing, or the name is no
// cached repository's; kUnavailable (UNAVAILABLE) with a Retry-After: the upstream fails and nothing is here.
class UpstreamCache {
 public:
  struct Options {
    std::string spool_directory;
    std::shared_ptr<prometheus::Registry> registry;
  };
  // All pointers outlive the cache. `kv` keeps when each tag was confirmed (keys below "c/").
  static absl::StatusOr<std::unique_ptr<UpstreamCache>> Create(const UpstreamsFile* upstreams, CacheStore* store,
                                                               kv::KvEngine* kv, const Clock* clock,
                                                               const Options& options);
  virtual ~UpstreamCache() = default;

  virtual absl::StatusOr<ResolvedManifest> ResolveManifest(const RepositoryName& repository,
                                                           const Reference& reference, bool metadata_only) = 0;
  // For HEAD: the blob's size, without fetching it.
  virtual absl::StatusOr<v1::FindUpstreamBlobResponse> FindBlob(const RepositoryName& repository,
                                                                const Digest& digest) = 0;
  virtual absl::StatusOr<std::variant<StoredBlob, std::unique_ptr<FetchReader>>> OpenBlob(
      const RepositoryName& repository, const Digest& digest) = 0;
  // The upstream's tags; what is here if the upstream fails.
  virtual absl::StatusOr<TagPage> ListTags(const RepositoryName& repository, size_t limit, absl::string_view last) = 0;
  virtual absl::StatusOr<std::vector<Referrer>> ListReferrers(const RepositoryName& repository,
                                                              const Digest& subject) = 0;
  virtual v1::GetUpstreamStatusResponse Status() const = 0;
  // Ends all fetches and calls to upstreams. For the end of a process.
  virtual void Stop() = 0;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_CACHE_H_
