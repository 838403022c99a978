#ifndef ENTREPOT_SERVICES_UPSTREAM_EXCHANGE_REGISTRY_METRICS_H_
#define ENTREPOT_SERVICES_UPSTREAM_EXCHANGE_REGISTRY_METRICS_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"
#include "services/upstream/exchange/request_kind.h"
#include "services/upstream/registry/upstream_registry.h"

namespace entrepot::upstream {

// The metrics of the requests to one upstream. Thread-safe. Several objects for one upstream count into the same
// metrics.
class RegistryMetrics {
 public:
  RegistryMetrics(std::shared_ptr<prometheus::Registry> registry, std::string upstream);

  // Counts a call by its result: "ok", the failure of UpstreamError(), "cancelled", or "aborted" for the caller's own
  // errors.
  void Count(RequestKind kind, const absl::Status& result);
  // Shows what the last response states; nothing of what it does not state.
  void SetRateLimit(const RateLimit& limit);

 private:
  const std::shared_ptr<prometheus::Registry> registry_;
  const std::string upstream_;
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Gauge>& limit_;
  prometheus::Family<prometheus::Gauge>& remaining_;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_EXCHANGE_REGISTRY_METRICS_H_
