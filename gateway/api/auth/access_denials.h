#ifndef ENTREPOT_GATEWAY_API_AUTH_ACCESS_DENIALS_H_
#define ENTREPOT_GATEWAY_API_AUTH_ACCESS_DENIALS_H_

#include <array>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gateway/api/request/access_token.h"
#include "gateway/api/request/route_table.h"
#include "gateway/http/message.h"
#include "prometheus/counter.h"
#include "prometheus/registry.h"
#include "services/runtime/log/audit_log.h"

namespace entrepot::gateway::api {

// The access that a request's method and route require.
struct RequiredAccess {
  Permission permission;
  absl::string_view repository;  // "" if the route has none.
  // For a push that mounts a blob: the repository to mount from; "" if none is given.
  absl::string_view mount_source = "";
};

enum class DenialReason { kMissingToken, kInvalidToken, kInsufficientScope, kPolicy };

// Makes, counts and records the responses that deny access to a registry with accounts. A response depends on the
// request and its token only, never on the registry's content. Thread-safe.
//
// A response is 401 with a challenge, so that the client requests a token for the scope. If the client has just done so
// in vain, the response is 403 DENIED with the reason. Responses to HEAD have no body and are therefore 401 with the
// reason in the challenge: docker and podman print it from there, but only of a 401.
//
// A challenge whose realm is http:// although a proxy may have ended TLS is logged as a warning, at most once a minute:
// the client would send its password in clear, or fail.
//
// Counter: entrepot_authorization_denied_total{reason}, "missing_token", "invalid_token", "insufficient_scope" or
// "policy". All but the first are also written to the audit log, event "access": every client begins without a token.
// Of each address, reason and verified account, one line a second is written, with the number of the others.
class AccessDenials {
 public:
  // `external_url`: see BaseUrl(). `audit` must outlive this and may be nullptr.
  AccessDenials(std::string external_url, runtime::AuditLog* audit,
                const std::shared_ptr<prometheus::Registry>& registry);

  // `why` is the reason if the token is invalid, or if it was requested for the access in vain, as WhyInVain() returns
  // it; otherwise OK. `token` is nullptr without a valid token.
  http::Response Deny(const http::Request& request, const RequiredAccess& required, DenialReason reason,
                      absl::string_view service, const absl::Status& why, const AccessToken* token) const;
  // The sentence for the client if the token was requested for the access in vain, kPermissionDenied; otherwise OK.
  static absl::Status WhyInVain(const RequiredAccess& required, const AccessToken& token);
  // Counts and records that a service denied, by policy, a request that the token grants.
  void RecordPolicyDenial(const http::Request& request, const RequiredAccess& required, const absl::Status& why,
                          const AccessToken& token) const;

 private:
  void Record(const http::Request& request, const RequiredAccess& required, DenialReason reason, absl::string_view why,
              const AccessToken* token) const;

  void WarnOfPlainRealm(const http::Request& request, absl::string_view realm) const;

  const std::string external_url_;
  runtime::AuditLog* const audit_;
  std::array<prometheus::Counter*, 4> counters_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_AUTH_ACCESS_DENIALS_H_
