#ifndef ENTREPOT_GATEWAY_BACKENDS_AUTH_BACKEND_H_
#define ENTREPOT_GATEWAY_BACKENDS_AUTH_BACKEND_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "boost/asio/awaitable.hpp"
#include "entrepot/auth/v1/auth_service.pb.h"
#include "gateway/backends/call_context.h"

namespace entrepot::gateway {

// The auth service, in this process or another. proto/entrepot/auth/v1 has the contract and the status codes of each
// call, which bears the name of its method there; in addition kUnavailable: the service did not respond within its
// deadline. Thread-safe; each call resumes on the caller's executor.
class AuthBackend {
 public:
  virtual ~AuthBackend() = default;

  virtual boost::asio::awaitable<absl::StatusOr<auth::v1::IssueTokenResponse>> IssueToken(
      const CallContext& context, const auth::v1::IssueTokenRequest& request) = 0;
  virtual boost::asio::awaitable<absl::StatusOr<auth::v1::GetVerificationResponse>> GetVerification(
      const CallContext& context) = 0;
  // Patterns (services/policy/repository_pattern.h) of the repositories that the catalog lists for context.caller.
  virtual boost::asio::awaitable<absl::StatusOr<std::vector<std::string>>> GetReadableRepositories(
      const CallContext& context) = 0;
  virtual boost::asio::awaitable<absl::StatusOr<auth::v1::AdministerResponse>> Administer(
      const CallContext& context, const auth::v1::AdministerRequest& request) = 0;
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_AUTH_BACKEND_H_
