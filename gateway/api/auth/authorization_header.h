#ifndef ENTREPOT_GATEWAY_API_AUTH_AUTHORIZATION_HEADER_H_
#define ENTREPOT_GATEWAY_API_AUTH_AUTHORIZATION_HEADER_H_

#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gateway/http/message.h"

namespace entrepot::gateway::api {

// A request's Authorization field (RFC 9110 section 11.6.2). Refers to the request.
struct Authorization {
  absl::string_view scheme;  // As sent: "Bearer", "basic".
  absl::string_view credentials;

  bool IsBasic() const;
  bool IsBearer() const;
};

// One field's value. kInvalidArgument: not a scheme and one credential of RFC 9110's token68; the message never holds
// what was sent.
absl::StatusOr<Authorization> ParseAuthorization(absl::string_view value);

// nullopt without the field. kInvalidArgument: as above, or given more than once.
absl::StatusOr<std::optional<Authorization>> ReadAuthorization(const http::Request& request);

// What follows "Bearer " in the one field, unchecked: to be compared with tokens that were checked. "" where the field
// is not that, or not one.
absl::string_view PeekBearer(const http::Request& request);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_AUTH_AUTHORIZATION_HEADER_H_
