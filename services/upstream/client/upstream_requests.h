#ifndef ENTREPOT_SERVICES_UPSTREAM_CLIENT_UPSTREAM_REQUESTS_H_
#define ENTREPOT_SERVICES_UPSTREAM_CLIENT_UPSTREAM_REQUESTS_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "services/core/time/clock.h"
#include "services/core/time/stop_signal.h"
#include "services/outbound/http_hop.h"
#include "services/upstream/client/connection_budget.h"
#include "services/upstream/client/request_pace.h"
#include "services/upstream/exchange/redirect_follower.h"
#include "services/upstream/exchange/registry_metrics.h"
#include "services/upstream/exchange/request_kind.h"
#include "services/upstream/login/upstream_authorization.h"

namespace entrepot::upstream {

// Sends requests to an upstream with everything that they all need: a free connection, the pace that the upstream
// allows, authorization, redirects. Thread-safe; calls block.
class UpstreamRequests {
 public:
  // All outlive this object.
  struct Parts {
    std::string upstream;
    std::string own_origin;
    RedirectFollower* follower;
    UpstreamAuthorization* authorization;
    ConnectionBudget* budget;
    RequestPace* pace;
    RegistryMetrics* metrics;
    StopSignal* stop;
    const Clock* clock;
  };
  struct Request {
    RequestKind kind;
    std::string repository;
    outbound::HopRequest http;
  };

  explicit UpstreamRequests(Parts parts) : parts_(std::move(parts)) {}

  // The last answer, whatever its status: see ErrorOf(). `sink` receives it if its status is 2xx. Errors: as of
  // RedirectFollower::Send() and UpstreamAuthorization::FieldFor(), and UpstreamError(): kRateLimited without a request
  // while the upstream wants none of that kind; kUnavailable if no connection becomes free (blobs wait for 10 minutes,
  // others for 30 s).
  absl::StatusOr<Answer> Send(const Request& request, const outbound::HopSink& sink);

  // The UpstreamError() of an answer that is not the one that the request wants.
  absl::Status ErrorOf(const Request& request, const Answer& answer) const;

 private:
  absl::StatusOr<ConnectionBudget::Turn> TakeTurn(RequestKind kind);

  const Parts parts_;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_CLIENT_UPSTREAM_REQUESTS_H_
