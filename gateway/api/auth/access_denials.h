#ifndef ENTREPOT_GATEWAY_API_AUTH_ACCESS_DENIALS_H_
#define ENTREPOT_GATEWAY_API_AUTH_ACCESS_DENIALS_H_

#include <array>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gateway/api/request/route_table.h"
#include "gateway/api/request/verified_token.h"
#include "gateway/http/message.h"
#include "prometheus/counter.h"
#include "prometheus/registry.h"
#include "services/runtime/log/audit_log.h"

namespace entrepot::gateway::api {

// What a request's method and route need.
struct NeededAccess {
  Need need;
  absl::string_view repository;  // "" where the route has none.
  // Of a push that asks to mount a blob: the repository that it lies in, "" where none is named.
  absl::string_view mount_source = "";
};

enum class DenialReason { kMissingToken, kInvalidToken, kInsufficientScope, kPolicy };

// The 401s of a registry with accounts: what they say, who counts them and who writes them down. An answer depends on
// the request and its token alone, never on what the registry holds. Thread-safe.
//
// Counter: entrepot_authorization_denied_total{reason}, "missing_token", "invalid_token", "insufficient_scope" or
// "policy". All but the first also go to the audit log, event "access": to send no token is how every client begins.
class AccessDenials {
 public:
  // `external_url` as BaseUrl() takes it; `audit` outlives it, nullptr: there is none.
  AccessDenials(std::string external_url, runtime::AuditLog* audit,
                const std::shared_ptr<prometheus::Registry>& registry);

  // `why` is what was wrong with an invalid token, else OK; `token` is nullptr where none was good.
  http::Response Deny(const http::Request& request, const NeededAccess& needed, DenialReason reason,
                      absl::string_view service, const absl::Status& why, const VerifiedToken* token) const;
  // A service has denied, for policy, what the token grants: counts it and writes it down.
  void NotePolicy(const http::Request& request, const NeededAccess& needed, const absl::Status& why,
                  const VerifiedToken& token) const;

 private:
  void Note(const http::Request& request, const NeededAccess& needed, DenialReason reason, absl::string_view why,
            const VerifiedToken* token) const;

  const std::string external_url_;
  runtime::AuditLog* const audit_;
  std::array<prometheus::Counter*, 4> counters_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_AUTH_ACCESS_DENIALS_H_
