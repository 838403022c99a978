#ifndef ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_METRICS_H_
#define ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_METRICS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace entrepot::upstream {

// How a request for a manifest was answered.
enum class ResolveResult {
  kHit,          // From what is here, without asking the upstream.
  kMiss,         // It was not here; the upstream gave it.
  kRevalidated,  // The upstream confirmed the tag, or gave what it names now.
  kStale,        // From what is here, although the upstream did not confirm it.
  kNegative,     // The upstream does not have it, or refuses it.
  kFailed,
};
absl::string_view ToString(ResolveResult result);

// The metrics of the upstream service, for each upstream of the file:
//   entrepot_upstream_resolves_total{upstream,result}
//   entrepot_upstream_up{upstream}
//   entrepot_upstream_time_to_first_byte_seconds{upstream,kind}
// Thread-safe.
class UpstreamMetrics {
 public:
  // If `registry` is null, the metrics are counted but not exported.
  explicit UpstreamMetrics(const std::shared_ptr<prometheus::Registry>& registry);

  // Makes all metrics of the upstream, which is up.
  void Add(const std::string& upstream);
  // The upstream is not in the file any more. Its counters stay.
  void Remove(const std::string& upstream);

  void CountResolve(absl::string_view upstream, ResolveResult result, uint64_t requests = 1);
  // How many were counted.
  uint64_t Resolves(absl::string_view upstream, ResolveResult result) const;
  void SetUp(const std::string& upstream, bool up);
  // The first byte of a body arrived so long after it was asked for. `kind`: "manifest" or "blob".
  void ObserveFirstByte(const std::string& upstream, const char* kind, absl::Duration after);

 private:
  static constexpr size_t kResults = static_cast<size_t>(ResolveResult::kFailed) + 1;
  using ResolveCounters = std::array<prometheus::Counter*, kResults>;

  prometheus::Counter& ResolvesOf(absl::string_view upstream, ResolveResult result) const;

  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Family<prometheus::Counter>& resolves_;
  prometheus::Family<prometheus::Gauge>& up_;
  prometheus::Family<prometheus::Histogram>& first_byte_;
  mutable absl::Mutex mutex_;
  // Those of resolves_: looking one up there takes several allocations.
  mutable absl::flat_hash_map<std::string, ResolveCounters> counters_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_METRICS_H_
