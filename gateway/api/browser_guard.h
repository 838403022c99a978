#ifndef ENTREPOT_GATEWAY_API_BROWSER_GUARD_H_
#define ENTREPOT_GATEWAY_API_BROWSER_GUARD_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "entrepot/config/v1/shared.pb.h"
#include "gateway/http/message.h"

namespace entrepot::gateway::api {

// Refuses what web pages send. A browser sends requests of any page to any address that it reaches, such as the
// loopback address of its machine. A page can also have a name that resolves to the registry (DNS rebinding): then the
// browser takes both for one origin, and the page may read and change everything that its user may. Clients of
// registries send neither Origin nor Sec-Fetch-Site. Thread-safe.
class BrowserGuard {
 public:
  // `listen` is checked (runtime/config/config_checks.h).
  BrowserGuard(const config::v1::PublicEndpoint& listen, bool has_accounts);

  // DENIED: the registry answers to some hosts only, and the request's Host field has another one. They are loopback
  // hosts, the host of listen.external_url, and listen.names. The registry answers to every host if listen.names is
  // empty, unless it has no accounts and listens on a loopback address. Requests of HTTP/1.0 may have no Host; no
  // browser sends such requests.
  absl::Status CheckHost(const http::Request& request) const;

  // DENIED: a page of another origin sends the request. For every request that may change something.
  absl::Status CheckOrigin(const http::Request& request) const;

 private:
  bool IsOwnOrigin(absl::string_view origin, const http::Request& request) const;

  const std::string external_authority_;  // Host and port of listen.external_url; "" without one.
  const bool checks_hosts_;
  std::vector<std::string> hosts_;  // Those to which the registry answers, beside loopback hosts.
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_BROWSER_GUARD_H_
