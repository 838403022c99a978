#ifndef ENTREPOT_SERVICES_UPSTREAM_FETCH_FETCH_METRICS_H_
#define ENTREPOT_SERVICES_UPSTREAM_FETCH_FETCH_METRICS_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"

namespace entrepot::upstream {

// The metrics of the fetches; their names and help texts are in the source. Thread-safe.
class FetchMetrics {
 public:
  // The counters of one upstream.
  struct OfUpstream {
    prometheus::Counter* fetched_bytes;
    prometheus::Counter* coalesced_reads;
    prometheus::Counter* resumptions;
    prometheus::Counter* awaited_fetches;
  };

  // If `registry` is null, the metrics are counted but not exported.
  explicit FetchMetrics(std::shared_ptr<prometheus::Registry> registry);

  // Fetches that run or wait.
  prometheus::Gauge& fetches() { return *fetches_; }
  OfUpstream Of(const std::string& upstream);
  // `kind`: of ToString(UpstreamFailure), or "store".
  void CountFailure(const std::string& upstream, absl::string_view kind);

 private:
  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Gauge* fetches_;
  prometheus::Family<prometheus::Counter>* fetched_bytes_;
  prometheus::Family<prometheus::Counter>* failures_;
  prometheus::Family<prometheus::Counter>* coalesced_reads_;
  prometheus::Family<prometheus::Counter>* resumptions_;
  prometheus::Family<prometheus::Counter>* awaited_fetches_;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_FETCH_FETCH_METRICS_H_
