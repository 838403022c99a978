#ifndef ENTREPOT_SERVICES_TOKEN_CLAIMS_H_
#define ENTREPOT_SERVICES_TOKEN_CLAIMS_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "boost/json/object.hpp"

// The registered claims of a token (RFC 7519 section 4.1), read strictly. Errors are kUnauthenticated (UNAUTHORIZED).
namespace entrepot::token {

// How much the clocks of the issuer and of this machine may differ.
inline constexpr absl::Duration kLeeway = absl::Seconds(60);

// "the token <problem>".
absl::Status BadToken(absl::string_view problem);

// A required claim that is a string.
absl::StatusOr<std::string> StringClaim(const boost::json::object& claims, absl::string_view name);

// When a token is valid. The claims are JSON numbers of seconds since 1970, with or without a fraction.
struct Validity {
  std::optional<absl::Time> issued_at;
  std::optional<absl::Time> not_before;
  absl::Time expires_at;
};

// Reads `exp`, which is required, `nbf` and `iat`. An error if `now` is more than kLeeway outside of them.
absl::StatusOr<Validity> CheckValidity(const boost::json::object& claims, absl::Time now);

}  // namespace entrepot::token

#endif  // ENTREPOT_SERVICES_TOKEN_CLAIMS_H_
