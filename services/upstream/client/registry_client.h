#ifndef ENTREPOT_SERVICES_UPSTREAM_CLIENT_REGISTRY_CLIENT_H_
#define ENTREPOT_SERVICES_UPSTREAM_CLIENT_REGISTRY_CLIENT_H_

#include <functional>
#include <memory>
#include <string>

#include "entrepot/config/v1/upstreams.pb.h"
#include "prometheus/registry.h"
#include "services/core/time/clock.h"
#include "services/core/time/stop_signal.h"
#include "services/outbound/http_hop.h"
#include "services/outbound/url.h"
#include "services/upstream/client/connection_budget.h"
#include "services/upstream/client/request_pace.h"
#include "services/upstream/client/upstream_requests.h"
#include "services/upstream/exchange/redirect_follower.h"
#include "services/upstream/exchange/registry_metrics.h"
#include "services/upstream/login/credential_source.h"
#include "services/upstream/login/realm_rule.h"
#include "services/upstream/login/refused_logins.h"
#include "services/upstream/login/token_requests.h"
#include "services/upstream/login/upstream_authorization.h"

namespace entrepot::upstream {

// Makes the hop of the options: outbound::HttpHop::Create(), or a fake in tests.
using MakeHop = std::function<std::unique_ptr<outbound::HttpHop>(outbound::HopOptions options)>;

// How connections for an entry of the upstreams file are made. `is_own`: to the upstream itself, which is shown the
// client certificate.
outbound::HopOptions HopOptionsOf(const config::v1::Upstream& entry, bool is_own);

// All that requests to one upstream need, made from its entry. Thread-safe.
class RegistryClient {
 public:
  // `url` is that of the entry. `clock` outlives the client. If `registry` is null, the metrics are not exported.
  RegistryClient(const config::v1::Upstream& entry, const outbound::Url& url, const Clock* clock,
                 const std::shared_ptr<prometheus::Registry>& registry, const MakeHop& make_hop);

  const std::string& name() const { return name_; }
  // The root of its API: "https://registry-1.docker.io/v2/".
  const std::string& base() const { return base_; }
  UpstreamRequests& requests() { return requests_; }
  RequestPace& pace() { return pace_; }
  const RequestPace& pace() const { return pace_; }
  RegistryMetrics& metrics() { return metrics_; }

  // Makes running and later requests return kCancelled soon.
  void Stop();
  bool stopped() const { return stop_.stopped(); }

 private:
  const std::string name_;
  const std::string base_;
  StopSignal stop_;
  RegistryMetrics metrics_;
  ConnectionBudget budget_;
  RequestPace pace_;
  CredentialSource credentials_;
  RefusedLogins refused_;
  const RealmRule realms_;
  RedirectFollower follower_;
  TokenRequests tokens_;
  UpstreamAuthorization authorization_;
  UpstreamRequests requests_;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_CLIENT_REGISTRY_CLIENT_H_
