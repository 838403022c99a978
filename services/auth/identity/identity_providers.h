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

// The account and rights that an identity provider's token proves.
struct WorkloadIdentity {
  // "oidc+NAME:SUB": the name of the provider and the subject of the token. In the subject, `%` and bytes other than
  // visible ASCII are written as %XX.
  std::string account;
  // Those of every claim rule that the token meets; at least one.
  std::vector<AccessGrant> grants;
  // The expiry of the token.
  absl::Time expires_at;
};

// Verifies the tokens of the policy's identity providers (workload identity). Keeps the keys of the providers when the
// policy changes. Thread-safe. May block for some seconds on a provider's server.
class IdentityProviders {
 public:
  using MakeSource = std::function<std::shared_ptr<KeySetSource>(const config::v1::IdentityProvider& provider)>;

  // `clock` must outlive this object. The second constructor is for tests.
  explicit IdentityProviders(const Clock* clock);
  IdentityProviders(const Clock* clock, MakeSource make_source);

  // The identity that the token proves. kUnauthenticated (UNAUTHORIZED): no provider of the policy has issued it; its
  // signature, audience or times are wrong; or it meets no claim rule. A public issuer gives tokens to everyone, so a
  // token must meet a rule. kUnavailable: the provider's keys are not available now.
  absl::StatusOr<WorkloadIdentity> Verify(const config::v1::Policy& policy, absl::string_view token);

 private:
  std::shared_ptr<KeySetSource> SourceOf(const config::v1::Policy& policy,
                                         const config::v1::IdentityProvider& provider);

  const Clock& clock_;
  const MakeSource make_source_;

  absl::Mutex mutex_;
  // By the file or URL of the keys.
  std::map<std::string, std::shared_ptr<KeySetSource>> sources_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_IDENTITY_IDENTITY_PROVIDERS_H_
