#ifndef ENTREPOT_GATEWAY_API_AUTH_TOKEN_VERIFIER_H_
#define ENTREPOT_GATEWAY_API_AUTH_TOKEN_VERIFIER_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/api/auth/key_set_cache.h"
#include "gateway/api/auth/token_cache.h"
#include "gateway/api/request/access_token.h"
#include "gateway/backends/call_context.h"
#include "prometheus/counter.h"
#include "prometheus/registry.h"
#include "services/core/time/clock.h"

namespace entrepot::gateway::api {

// Verifies bearer tokens, each once for as long as it is valid and the keys do not change. Thread-safe.
//
// Counter: entrepot_token_verifications_total{result}, "verified", "cached" or "refused".
class TokenVerifier {
 public:
  using Token = std::shared_ptr<const AccessToken>;

  // Both must outlive it.
  TokenVerifier(KeySetCache* keys, const Clock* clock, const std::shared_ptr<prometheus::Registry>& registry);

  // A token that was verified before; otherwise nullptr. Takes well under a microsecond.
  Token FindVerified(absl::string_view text, absl::Time now);
  // kUnauthenticated (UNAUTHORIZED): the token is invalid; the message is the reason. Any other error: the keys could
  // not be fetched.
  boost::asio::awaitable<absl::StatusOr<Token>> Verify(absl::string_view text, const CallContext& call);

 private:
  // kNotFound: the token's key is unknown; newer keys may contain it.
  absl::StatusOr<Token> VerifyWith(absl::string_view text, const VerificationKeys& keys);
  boost::asio::awaitable<absl::StatusOr<Token>> VerifyUncounted(absl::string_view text, const CallContext& call);

  Token FindCached(absl::string_view text);

  const uint64_t id_;  // Unique among verifiers.
  KeySetCache* const keys_;
  const Clock* const clock_;
  TokenCache cache_;
  prometheus::Counter* verified_;
  prometheus::Counter* cached_;
  prometheus::Counter* refused_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_AUTH_TOKEN_VERIFIER_H_
