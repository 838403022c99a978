#ifndef ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_CACHE_H_
#define ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "entrepot/upstream/v1/upstream_service.pb.h"
#include "prometheus/registry.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/reference.h"
#include "services/core/repository_name.h"
#include "services/core/resolved_manifest.h"
#include "services/core/tag.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"
#include "services/upstream/fetch/blob_fetches.h"
#include "services/upstream/management/image_source.h"
#include "services/upstream/names/upstreams_file.h"
#include "services/upstream/store/cache_store.h"
#include "services/upstream/upstream_set.h"

namespace entrepot::upstream {

// The content of upstreams in the repositories of this registry: what is asked for and is not here is fetched; what is
// here is served, and tags are asked for again when their time is over (docs/upstreams.md, "Freshness"). Repositories
// are named as they are here ("docker.io/library/nginx"). Thread-safe; calls block, on the store and on upstreams.
//
// The upstreams file decides at each call: content of an upstream that it no longer has is served if it is stored, and
// is kNotFound (NAME_UNKNOWN) if not. A repository that its upstream's entry does not allow is kNotFound
// (NAME_UNKNOWN) in any case.
//
// Errors: kNotFound (MANIFEST_UNKNOWN, BLOB_UNKNOWN, NAME_UNKNOWN): the upstream has no such thing, or the name is no
// cached repository's; kPermissionDenied (DENIED): the upstream refuses it; kUnavailable (UNAVAILABLE) with a
// Retry-After: the upstream fails and nothing is here; kInvalidArgument (MANIFEST_INVALID): this registry cannot keep
// the upstream's manifest; kCancelled after Stop().
class UpstreamCache : public ImageSource {
 public:
  struct Options {
    // Of its own; emptied at the start.
    std::string spool_directory;
    std::shared_ptr<prometheus::Registry> registry;
    // Other processes write to the same KV.
    bool shared = false;
    // Required.
    MakeRegistry make_registry;
    // How long a request waits for the confirmation of a tag that is here before it is served as stale. The question to
    // the upstream goes on.
    absl::Duration confirmation_patience = absl::Seconds(3);
  };
  // The most that ResolvedManifest::valid_for is. Longer than clients take between requests for the same image; short
  // for a change of the upstreams file.
  static constexpr absl::Duration kFreshAnswerLifetime = absl::Seconds(10);
  static constexpr absl::Duration kStaleAnswerLifetime = absl::Seconds(1);
  // All pointers outlive the cache. `kv` keeps when each tag was confirmed (freshness.h). Errors are those of the KV,
  // of the spool directory, and kFailedPrecondition: the records have another format.
  static absl::StatusOr<std::unique_ptr<UpstreamCache>> Create(const UpstreamsFile* upstreams, CacheStore* store,
                                                               kv::KvEngine* kv, const Clock* clock,
                                                               const Options& options);
  // What the tag names, if that is in memory: the tag is fresh, or its upstream fails and is not asked now. nullopt:
  // call ResolveManifest(), also for a tag that the file pins. Whether the upstream's entry allows the repository is
  // the caller's to check. Never blocks. Counts nothing.
  virtual std::optional<RecalledTag> RecallTag(const RepositoryName& repository, const Tag& tag) = 0;
  // So many requests for tags of the repository's upstream were answered by recalled tags.
  virtual void CountRecalled(const RepositoryName& repository, const RecalledCount& count) = 0;
  // For HEAD: the blob's size. Fetches the blob only if its upstream does not tell the size of it otherwise.
  // `client` as in OpenBlob().
  virtual absl::StatusOr<v1::FindUpstreamBlobResponse> FindBlob(const RepositoryName& repository, const Digest& digest,
                                                                const std::string& client) = 0;
  // The upstream's tags in lexical order; what is here if the upstream fails.
  virtual absl::StatusOr<TagPage> ListTags(const RepositoryName& repository, size_t limit, absl::string_view last) = 0;
  // The upstream's referrers; those that it had before, or none, if it fails.
  virtual absl::StatusOr<std::vector<Referrer>> ListReferrers(const RepositoryName& repository,
                                                              const Digest& subject) = 0;
  // Bytes of manifests and blobs that were fetched from the upstream since its entry was read; 0 if the file has none.
  virtual uint64_t BytesFetched(absl::string_view upstream) const = 0;
  // Ends all fetches and calls to upstreams. For the end of a process.
  virtual void Stop() = 0;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_CACHE_H_
