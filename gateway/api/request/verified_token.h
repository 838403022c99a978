#ifndef ENTREPOT_GATEWAY_API_REQUEST_VERIFIED_TOKEN_H_
#define ENTREPOT_GATEWAY_API_REQUEST_VERIFIED_TOKEN_H_

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

// What a token that was verified says. Immutable, and shared by all requests that come with it.
class VerifiedToken {
 public:
  // `generation` is that of the keys that it was verified with (key_set_cache.h).
  VerifiedToken(const token::RegistryClaims& claims, uint64_t generation);

  const Caller& caller() const { return caller_; }
  uint64_t generation() const { return generation_; }
  // Looked at each time, not only when it is verified: a clock may be set back as well.
  bool IsValidAt(absl::Time now) const {
    return now + token::kLeeway >= not_before_ && now <= expires_at_ + token::kLeeway;
  }

  // Whether it grants what a method of a route needs. Other than for pull, push and delete, `repository` is not looked
  // at.
  bool Grants(Need need, absl::string_view repository) const;
  // Whether it says anything of a repository: what was asked for and denied stands in it as a scope without actions.
  bool Names(absl::string_view repository) const;
  // What it grants on a repository: "pull", "push" …; sorted.
  std::vector<std::string> ActionsOn(absl::string_view repository) const;
  // The repositories that it lets its bearer pull from, in its order; at most `count_max`.
  std::vector<std::string> ReadableRepositories(size_t count_max) const;

 private:
  bool Allows(absl::string_view type, absl::string_view name, absl::string_view action) const;

  Caller caller_;
  absl::Time not_before_;
  absl::Time expires_at_;
  std::vector<AccessScope> access_;
  uint64_t generation_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REQUEST_VERIFIED_TOKEN_H_
