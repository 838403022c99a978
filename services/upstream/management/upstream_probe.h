#ifndef ENTREPOT_SERVICES_UPSTREAM_MANAGEMENT_UPSTREAM_PROBE_H_
#define ENTREPOT_SERVICES_UPSTREAM_MANAGEMENT_UPSTREAM_PROBE_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "entrepot/config/v1/upstreams.pb.h"
#include "entrepot/upstream/v1/management.pb.h"
#include "services/core/reference.h"
#include "services/core/time/clock.h"
#include "services/core/time/stop_signal.h"
#include "services/upstream/client/http_upstream_registry.h"

namespace entrepot::upstream {

// The step-by-step test of an upstream.
struct UpstreamProbe {
  // With its defaults.
  config::v1::Upstream entry;
  // As at the upstream ("library/nginx"). Empty: only the API's root is asked.
  std::string repository = {};
  Reference reference = *Tag::Parse("latest");
  const Clock* clock = nullptr;
  MakeHop make_hop = outbound::HttpHop::Create;
};

// Tries what a pull needs, on connections and with tokens of its own, whatever the state of the upstream's breaker and
// of its limits, and calls `show` after each step with all steps so far. The steps: "address", "connection", "TLS",
// "login", "manifest", "rate limit". Of credentials, only the name of the account or of the helper is shown. Asks for a
// manifest by HEAD, which no known upstream counts. OK if no step failed; otherwise the status names the first one
// that did. kCancelled: `stop` is stopped.
absl::Status RunProbe(const UpstreamProbe& probe, StopSignal* stop,
                      const std::function<void(const v1::UpstreamTest& test)>& show);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_MANAGEMENT_UPSTREAM_PROBE_H_
