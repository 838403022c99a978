#ifndef ENTREPOT_GATEWAY_API_REQUEST_ACCESS_TOKEN_H_
#define ENTREPOT_GATEWAY_API_REQUEST_ACCESS_TOKEN_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/api/request/route_table.h"
#include "services/core/caller.h"
#include "services/token/registry_token.h"

namespace entrepot::gateway::api {

// The claims of a bearer token that was verified. Immutable; shared by all requests with the token.
class AccessToken {
 public:
  // `generation` identifies the keys that verified the token (gateway/api/auth/key_set_cache.h).
  AccessToken(const token::RegistryClaims& claims, uint64_t generation);

  const Caller& caller() const { return caller_; }
  uint64_t generation() const { return generation_; }
  // Checked at every use, also for its beginning: a clock may be set back.
  bool IsValidAt(absl::Time now) const {
    return now + token::kLeeway >= not_before_ && now <= expires_at_ + token::kLeeway;
  }

  // Whether the token grants the permission. `repository` matters for pull, push and delete only.
  bool Grants(Permission permission, absl::string_view repository) const;
  // Whether the token has a scope of the repository. A scope that was requested and denied is in it without actions.
  bool Names(absl::string_view repository) const;
  // The reason if the token was requested for the permission in vain; otherwise "".
  absl::string_view WhyDenied(Permission permission, absl::string_view repository) const;
  // The granted actions on a repository: "pull", "push" …; sorted.
  std::vector<std::string> ActionsOn(absl::string_view repository) const;
  // The repositories with a granted pull, in the token's order; at most `count_max`.
  std::vector<std::string> ReadableRepositories(size_t count_max) const;

 private:
  Caller caller_;
  absl::Time not_before_;
  absl::Time expires_at_;
  std::vector<AccessScope> access_;
  std::vector<token::DeniedScope> denied_;
  uint64_t generation_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REQUEST_ACCESS_TOKEN_H_
