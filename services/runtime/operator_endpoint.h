#ifndef ENTREPOT_SERVICES_RUNTIME_OPERATOR_ENDPOINT_H_
#define ENTREPOT_SERVICES_RUNTIME_OPERATOR_ENDPOINT_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "entrepot/config/v1/shared.pb.h"
#include "prometheus/collectable.h"
#include "services/runtime/health_checks.h"

namespace entrepot::runtime {

// The operator's HTTP port, served by a thread of its own:
//   GET /healthz   200 as long as the process lives; checks no dependency
//   GET /readyz    200 if pulls are served, else 503; the text tells what cannot be done and why
//   GET /metrics   all collectables in Prometheus' text format
// No request waits for another: metrics are collected on a second thread. Other paths get 404, other methods 405. A
// request's header is limited to 8 KiB, its duration to 5 s, and the number of connections to 64.
class OperatorEndpoint {
 public:
  // The port is open when this returns. `readiness` is called on the endpoint's thread, once per request for /readyz,
  // and must not block. kUnavailable: the endpoint cannot listen on the address; the message names
  // it. With port 0 (for tests) the system chooses a port.
  static absl::StatusOr<std::unique_ptr<OperatorEndpoint>> Start(const config::v1::Endpoint& endpoint,
                                                                 std::function<ReadinessReport()> readiness);

  // Closes the port and joins the thread.
  virtual ~OperatorEndpoint() = default;

  // Serves `collectable` at /metrics for as long as it lives. May be called from any thread.
  virtual void AddCollectable(std::weak_ptr<prometheus::Collectable> collectable) = 0;

  virtual uint16_t port() const = 0;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_OPERATOR_ENDPOINT_H_
