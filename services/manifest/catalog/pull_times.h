#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_PULL_TIMES_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_PULL_TIMES_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "prometheus/registry.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/core/tag.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// Records when tags were pulled, with a precision of an hour, and when manifests of caches were. The times are kept in
// memory until Flush() writes them together. Bounded; thread-safe.
class PullTimes {
 public:
  // The precision of the times of manifests of caches. Eviction spares what was used lately, so it must be short.
  static constexpr absl::Duration kCachedPrecision = absl::Minutes(10);

  // `kv` and `clock` must outlive the PullTimes. Pulls that there was no room for are counted in `registry`
  // (entrepot_pull_notes_lost_total), which may be null.
  static std::unique_ptr<PullTimes> Create(kv::KvEngine* kv, const Clock* clock,
                                           std::shared_ptr<prometheus::Registry> registry = nullptr);
  virtual ~PullTimes() = default;

  // Never writes to the KV and never waits for a disk, so that it does not slow down the pull.
  virtual void Note(const RepositoryName& repository, const Tag& tag) = 0;
  // The same for a manifest of a cache.
  virtual void NoteCached(const RepositoryName& repository, const Digest& digest) = 0;
  // Writes the pulls since the last call. Not synced: a power cut may lose the pulls of a few minutes. Pulls that could
  // not be written are kept for the next call.
  virtual absl::Status Flush() = 0;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_PULL_TIMES_H_
