#ifndef ENTREPOT_GATEWAY_API_UPSTREAM_SERVED_BYTES_H_
#define ENTREPOT_GATEWAY_API_UPSTREAM_SERVED_BYTES_H_

#include <array>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/registry.h"
#include "services/core/repository_name.h"

namespace entrepot::gateway::api {

// Counts the bytes of blobs of upstreams that are sent to clients:
//   entrepot_upstream_served_bytes_total{upstream,source="stored"|"fetched"}
// "stored": the blob is here; "fetched": it was read from a fetch that many clients may share. What this registry has
// spared the upstream is their sum without entrepot_upstream_fetched_bytes_total. Thread-safe.
class ServedBytes {
 public:
  enum class Source { kStored, kFetched };

  explicit ServedBytes(const std::shared_ptr<prometheus::Registry>& registry);

  // The counter of the upstream that the cached repository is of. Lives as long as the registry.
  prometheus::Counter& Of(const RepositoryName& repository, Source source);

 private:
  using Counters = std::array<prometheus::Counter*, 2>;

  Counters MakeCounters(const std::string& upstream);

  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Family<prometheus::Counter>& family_;
  absl::Mutex mutex_;
  // Looking a counter up in the family takes several allocations.
  absl::flat_hash_map<std::string, Counters> counters_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_UPSTREAM_SERVED_BYTES_H_
