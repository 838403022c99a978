#ifndef ENTREPOT_GATEWAY_API_ACCESS_DENIALS_H_
#define ENTREPOT_GATEWAY_API_ACCESS_DENIALS_H_

#include <array>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gateway/api/route_table.h"
#include "gateway/api/verified_token.h"
#include "gateway/http/message.h"
#include "prometheus/counter.h"
#include "prometheus/registry.h"

namespace entrepot::gateway::api {

// What a request's method and route need.
struct NeededAccess {
  Need need;
  absl::string_view repository;  // "" where the route has none.
};

enum class DenialReason { kMissingToken, kInvalidToken, kInsufficientScope };

// The 401s of a registry with accounts: what they say, who counts them and who writes them down. An answer depends on
// the request and its token alone, never on what the registry holds. Thread-safe.
//
// Counter: entrepot_authorization_denied_total{reason}, "missing_token", "invalid_token" or "insufficient_scope".
class AccessDenials {
 public:
  // `external_url` as BaseUrl() takes it.
  AccessDenials(std::string external_url, const std::shared_ptr<prometheus::Registry>& registry);

  // `why` is what was wrong with an invalid token, else OK; `token` is nullptr where none was good.
  http::Response Deny(const http::Request& request, const NeededAccess& needed, DenialReason reason,
                      absl::string_view service, const absl::Status& why, const VerifiedToken* token) const;

 private:
  const std::string external_url_;
  std::array<prometheus::Counter*, 3> counters_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_ACCESS_DENIALS_H_
