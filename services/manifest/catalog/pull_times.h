#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_PULL_TIMES_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_PULL_TIMES_H_

#include <memory>

#include "absl/status/status.h"
#include "prometheus/registry.h"
#include "services/core/repository_name.h"
#include "services/core/tag.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// When tags were pulled, to the hour or so: notes are kept in memory, at most one an hour and tag, until they are
// written together. Bounded; thread-safe.
class PullTimes {
 public:
  // `kv` and `clock` outlive it. Notes that found no room are counted in the registry (entrepot_pull_notes_lost_total),
  // where there is one.
  static std::unique_ptr<PullTimes> Create(kv::KvEngine* kv, const Clock* clock,
                                           std::shared_ptr<prometheus::Registry> registry = nullptr);
  virtual ~PullTimes() = default;

  // Costs a manifest GET next to nothing: never writes, never waits for a disk.
  virtual void Note(const RepositoryName& repository, const Tag& tag) = 0;
  // Writes what was noted since. Not synced: a power cut may cost the notes of a few minutes. What could not be written
  // is kept for the next time.
  virtual absl::Status Flush() = 0;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_PULL_TIMES_H_
