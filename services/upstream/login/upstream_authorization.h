#ifndef ENTREPOT_SERVICES_UPSTREAM_LOGIN_UPSTREAM_AUTHORIZATION_H_
#define ENTREPOT_SERVICES_UPSTREAM_LOGIN_UPSTREAM_AUTHORIZATION_H_

#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/core/lru_map.h"
#include "services/core/time/clock.h"
#include "services/upstream/login/auth_challenge.h"
#include "services/upstream/login/credential_source.h"
#include "services/upstream/login/refused_logins.h"
#include "services/upstream/login/token_cache.h"
#include "services/upstream/login/token_requests.h"

namespace entrepot::upstream {

// The Authorization fields of requests to an upstream, learned from its challenges: the first 401 is remembered, so
// that later requests carry a token at once. A host to which the upstream redirects may challenge too; it gets
// anonymous tokens of its own, never the upstream's credentials. Thread-safe; calls block.
class UpstreamAuthorization {
 public:
  // All outlive this object.
  struct Parts {
    std::string upstream;
    std::string own_origin;
    TokenRequests* tokens;
    CredentialSource* credentials;
    RefusedLogins* refused;
    const Clock* clock;
  };

  explicit UpstreamAuthorization(Parts parts);

  // The field's value for requests about the repository ("library/nginx"; empty: about none); empty if the origin has
  // not challenged.
  // Errors: as of TokenRequests::Request().
  absl::StatusOr<std::string> FieldFor(const std::string& origin, const std::string& repository);

  // Learns from a 400, 401 or 403 to a request with that field (which may be empty). Returns whether the request should
  // be sent again, once, with a new field: after a challenge to a request without one, and after a refusal of a token
  // or of a helper's credentials, which may have expired. Some registries answer that with 400 or 403.
  bool Learn(const std::string& origin, const std::string& repository, const std::string& field,
             const outbound::HopHead& head);

 private:
  std::optional<AuthChallenge> ChallengeOf(const std::string& origin, const std::string& repository);
  void Remember(const std::string& origin, const std::string& repository, std::optional<AuthChallenge> challenge);
  absl::StatusOr<std::string> BearerField(const std::string& origin, const std::string& repository,
                                          const AuthChallenge& challenge);
  absl::StatusOr<std::string> BasicField();
  bool LearnFromBasic(int status, const std::string& field);

  const Parts parts_;
  TokenCache cache_;
  absl::Mutex mutex_;
  std::optional<AuthChallenge> own_challenge_ ABSL_GUARDED_BY(mutex_);
  // Of other origins, by origin and repository.
  LruMap<std::string, AuthChallenge> foreign_challenges_ ABSL_GUARDED_BY(mutex_){256};
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_LOGIN_UPSTREAM_AUTHORIZATION_H_
