#ifndef ENTREPOT_SERVICES_UPSTREAM_LOGIN_TOKEN_REQUESTS_H_
#define ENTREPOT_SERVICES_UPSTREAM_LOGIN_TOKEN_REQUESTS_H_

#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/core/time/clock.h"
#include "services/upstream/exchange/redirect_follower.h"
#include "services/upstream/exchange/registry_metrics.h"
#include "services/upstream/login/auth_challenge.h"
#include "services/upstream/login/credential_source.h"
#include "services/upstream/login/realm_rule.h"
#include "services/upstream/login/refused_logins.h"
#include "services/upstream/login/token_answer.h"

namespace entrepot::upstream {

// Gets tokens from the token services that challenges name
// (https://distribution.github.io/distribution/spec/auth/token). Thread-safe; calls block.
class TokenRequests {
 public:
  // All outlive this object.
  struct Parts {
    std::string upstream;
    RedirectFollower* follower;
    const RealmRule* realms;
    CredentialSource* credentials;
    RefusedLogins* refused;
    RegistryMetrics* metrics;
    const Clock* clock;
  };

  explicit TokenRequests(Parts parts) : parts_(std::move(parts)) {}

  // A token for the scope from the realm of a Bearer challenge. With the upstream's credentials only if
  // `may_have_credentials` and the realm's host may have them (RealmRule); otherwise anonymously. Refresh tokens go by
  // POST, and by GET if the service does not take that. Errors are UpstreamError(): kDenied if the service refuses, or
  // has refused the same login within the last minute; kCancelled after Stop().
  absl::StatusOr<IssuedToken> Request(const AuthChallenge& challenge, const std::string& scope,
                                      bool may_have_credentials);

 private:
  struct Login;
  struct Response {
    Answer answer;
    std::string body;  // If the status is 2xx.
  };

  absl::StatusOr<IssuedToken> RequestUncounted(const AuthChallenge& challenge, const std::string& scope,
                                               bool may_have_credentials);
  absl::StatusOr<IssuedToken> LogIn(const Login& login, const std::optional<Credentials>& credentials);
  // nullopt: the service does not take the request.
  absl::StatusOr<std::optional<IssuedToken>> Post(const Login& login, const Credentials& credentials);
  absl::StatusOr<IssuedToken> Get(const Login& login, const std::optional<Credentials>& credentials);
  absl::Status Refused(const Login& login, const std::optional<Credentials>& credentials, const Answer& answer);
  absl::StatusOr<Response> Send(outbound::HopRequest request, const std::string& authorization);
  absl::StatusOr<IssuedToken> Parse(const Login& login, absl::string_view body) const;

  const Parts parts_;
};

// The Authorization field of Basic authentication.
std::string BasicAuthorization(const Credentials& credentials);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_LOGIN_TOKEN_REQUESTS_H_
