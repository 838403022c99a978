#ifndef ENTREPOT_GATEWAY_API_AUTH_ACCESS_CONTROL_H_
#define ENTREPOT_GATEWAY_API_AUTH_ACCESS_CONTROL_H_

#include <memory>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "boost/asio/any_io_executor.hpp"
#include "boost/asio/awaitable.hpp"
#include "gateway/api/auth/access_denials.h"
#include "gateway/api/auth/key_set_cache.h"
#include "gateway/api/auth/token_verifier.h"
#include "gateway/api/request/access_token.h"
#include "gateway/backends/auth_backend.h"
#include "gateway/http/message.h"
#include "prometheus/registry.h"
#include "services/core/time/clock.h"
#include "services/runtime/log/audit_log.h"

namespace entrepot::gateway::api {

// Checks that a request's bearer token grants the permission of its method and route. Thread-safe.
class AccessControl {
 public:
  using Token = std::shared_ptr<const AccessToken>;
  // The token (nullptr if none is needed), or the response that denies the request. A token that was requested for the
  // permission in vain within the last minute gets 403, any other 401 (access_denials.h).
  using Decision = std::variant<Token, http::Response>;

  struct Options {
    // The URL that clients use for the registry; empty: derived from each request.
    std::string external_url;
    KeySetCache::Options keys;
    runtime::AuditLog* audit = nullptr;
  };

  // `auth`, `clock` and the audit log must outlive it.
  AccessControl(AuthBackend* auth, const Clock* clock, const Options& options,
                const std::shared_ptr<prometheus::Registry>& registry);

  // The fast path, which takes half a microsecond and serves most requests: the token if it was verified before and
  // suffices, and no refresh of the keys is due. Otherwise nullptr; then call Decide().
  Token FindSufficient(const http::Request& request, const RequiredAccess& required);
  boost::asio::awaitable<Decision> Decide(const http::Request& request, const RequiredAccess& required);
  // The result for a request that a service denied although the token is valid. kUnauthenticated (the token may
  // have been issued before the repository was deleted) becomes a challenge, so that the client requests a new token;
  // other statuses are returned.
  boost::asio::awaitable<absl::StatusOr<http::Response>> DeniedByService(const http::Request& request,
                                                                         const RequiredAccess& required,
                                                                         const absl::Status& why,
                                                                         const AccessToken& token);

  KeySetCache& keys() { return keys_; }

 private:
  boost::asio::awaitable<http::Response> Deny(const http::Request& request, const RequiredAccess& required,
                                              DenialReason reason, const absl::Status& why, const AccessToken* token);
  void RefreshKeysIfDue(const boost::asio::any_io_executor& executor, absl::Time now);

  const Clock* const clock_;
  const AccessDenials denials_;
  KeySetCache keys_;
  TokenVerifier verifier_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_AUTH_ACCESS_CONTROL_H_
