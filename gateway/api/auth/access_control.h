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
#include "gateway/api/request/verified_token.h"
#include "gateway/backends/auth_backend.h"
#include "gateway/http/message.h"
#include "prometheus/registry.h"
#include "services/core/time/clock.h"
#include "services/runtime/log/audit_log.h"

namespace entrepot::gateway::api {

// Whether a request's bearer token grants what its method and route need. Thread-safe.
class AccessControl {
 public:
  using Token = std::shared_ptr<const VerifiedToken>;
  // The token (nullptr where none is needed), or the answer to a request that it does not suffice for.
  using Decision = std::variant<Token, http::Response>;

  struct Options {
    // What clients call the registry; empty: what their requests say.
    std::string external_url;
    KeySetCache::Options keys;
    runtime::AuditLog* audit = nullptr;
  };

  // `auth`, `clock` and the audit log must outlive it.
  AccessControl(AuthBackend* auth, const Clock* clock, const Options& options,
                const std::shared_ptr<prometheus::Registry>& registry);

  // The token where it was verified before, suffices and nothing else is to be done: what most requests come with, for
  // half a microsecond. Else nullptr, and Decide() decides.
  Token FindSufficient(const http::Request& request, const NeededAccess& needed);
  boost::asio::awaitable<Decision> Decide(const http::Request& request, const NeededAccess& needed);
  // What a service, which knows more, has denied to a token that is good in itself. kUnauthenticated (it may be older
  // than its repository) becomes a challenge: clients get themselves a new one.
  boost::asio::awaitable<absl::StatusOr<http::Response>> DeniedByService(const http::Request& request,
                                                                         const NeededAccess& needed,
                                                                         const absl::Status& why,
                                                                         const VerifiedToken& token);

  KeySetCache& keys() { return keys_; }

 private:
  boost::asio::awaitable<http::Response> Deny(const http::Request& request, const NeededAccess& needed,
                                              DenialReason reason, const absl::Status& why, const VerifiedToken* token);
  void RefreshKeysIfDue(const boost::asio::any_io_executor& executor, absl::Time now);

  const Clock* const clock_;
  const AccessDenials denials_;
  KeySetCache keys_;
  TokenVerifier verifier_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_AUTH_ACCESS_CONTROL_H_
