#ifndef ENTREPOT_SERVICES_RUNTIME_OPERATOR_ENDPOINT_H_
#define ENTREPOT_SERVICES_RUNTIME_OPERATOR_ENDPOINT_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "entrepot/config/v1/shared.pb.h"
#include "prometheus/collectable.h"

namespace entrepot::runtime {

// The operator's HTTP port, on one thread of its own:
//   GET /healthz   200 as long as the process lives; no dependency is asked
//   GET /readyz    200, or 503 and the reason as text
//   GET /metrics   all collectables in Prometheus' text format
// Anything else is 404, or 405 for another method. A request's header is bounded to 8 KiB, its time to 5 s, connections
// to 64.
class OperatorEndpoint {
 public:
  // `check_ready` is called on the endpoint's thread, once a request for /readyz; its status' message is the reason.
  // Listens on return. kUnavailable: the address cannot be listened on; the message names it. Port 0 (tests) takes any.
  static absl::StatusOr<std::unique_ptr<OperatorEndpoint>> Start(const config::v1::Endpoint& endpoint,
                                                                 std::function<absl::Status()> check_ready);

  // Closes the port and joins the thread.
  virtual ~OperatorEndpoint() = default;

  // Shows `collectable` at /metrics for as long as it lives. Any thread.
  virtual void AddCollectable(std::weak_ptr<prometheus::Collectable> collectable) = 0;

  virtual uint16_t port() const = 0;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_OPERATOR_ENDPOINT_H_
