#ifndef ENTREPOT_SERVICES_UPSTREAM_LOGIN_TOKEN_ANSWER_H_
#define ENTREPOT_SERVICES_UPSTREAM_LOGIN_TOKEN_ANSWER_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace entrepot::upstream {

// A bearer token, as a token service issues it.
struct IssuedToken {
  // Printable ASCII without spaces.
  std::string text;
  // From its arrival; from 60 s to 24 h.
  absl::Duration lifetime;
};

// The token in the body of a token service's answer: `token`, or else `access_token`. Without `expires_in`, and with
// less than 60 s, it lives 60 s. kInvalidArgument: the body has no token; the message does not contain the body.
absl::StatusOr<IssuedToken> ParseTokenAnswer(absl::string_view body);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_LOGIN_TOKEN_ANSWER_H_
