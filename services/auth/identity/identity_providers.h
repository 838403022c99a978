#ifndef ENTREPOT_SERVICES_AUTH_IDENTITY_IDENTITY_PROVIDERS_H_
#define ENTREPOT_SERVICES_AUTH_IDENTITY_IDENTITY_PROVIDERS_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "entrepot/config/v1/policy.pb.h"
#include "services/auth/identity/key_set_source.h"
#include "services/auth/records/access_grant.h"
#include "services/core/time/clock.h"

namespace entrepot::auth {

// Somebody whom an identity provider vouches for.
struct WorkloadIdentity {
  // "oidc+NAME:SUB": the provider's name and the token's subject, whose bytes other than visible ASCII, and `%`, are
  // written as %XX.
  std::string account;
  // Of every claim rule that the token meets; at least one.
  std::vector<AccessGrant> grants;
  // Of its token.
  absl::Time expires_at;
};

// Takes the tokens of a policy's identity providers for credentials (workload identity). Keeps the providers' keys
// while policies come and go. Thread-safe; may block for some seconds on a provider's server.
class IdentityProviders {
 public:
  using MakeSource = std::function<std::shared_ptr<KeySetSource>(const config::v1::IdentityProvider& provider)>;

  // `clock` outlives it. The second one is for tests.
  explicit IdentityProviders(const Clock* clock);
  IdentityProviders(const Clock* clock, MakeSource make_source);

  // Whose token it is. kUnauthenticated (UNAUTHORIZED): it is of no provider of the policy, its signature, audience or
  // times are wrong, or it meets no claim rule: whoever can get a token of a public issuer is nobody here.
  // kUnavailable: the provider's keys cannot be had now.
  absl::StatusOr<WorkloadIdentity> Verify(const config::v1::Policy& policy, absl::string_view token);

 private:
  std::shared_ptr<KeySetSource> SourceOf(const config::v1::Policy& policy,
                                         const config::v1::IdentityProvider& provider);

  const Clock& clock_;
  const MakeSource make_source_;

  absl::Mutex mutex_;
  // By where they come from.
  std::map<std::string, std::shared_ptr<KeySetSource>> sources_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_IDENTITY_IDENTITY_PROVIDERS_H_
