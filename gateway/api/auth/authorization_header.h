#ifndef ENTREPOT_GATEWAY_API_AUTH_AUTHORIZATION_HEADER_H_
#define ENTREPOT_GATEWAY_API_AUTH_AUTHORIZATION_HEADER_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gateway/http/message.h"

namespace entrepot::gateway::api {

// A request's Authorization field (RFC 9110 section 11.6.2). Views into the request.
struct Authorization {
  absl::string_view scheme;  // As sent: "Bearer", "basic".
  absl::string_view credentials;

  bool IsBasic() const;
  bool IsBearer() const;
};

// Parses the value of one field. kInvalidArgument: not a scheme and a credential (RFC 9110's token68). The message
// never contains the value.
absl::StatusOr<Authorization> ParseAuthorization(absl::string_view value);

// nullopt without the field. kInvalidArgument: as above, or more than one field.
absl::StatusOr<std::optional<Authorization>> ReadAuthorization(const http::Request& request);

// The text after "Bearer " in the field, unchecked, for comparison with verified tokens. "" if the scheme is another
// one, or unless there is exactly one field.
absl::string_view PeekBearer(const http::Request& request);

struct BasicCredentials {
  std::string account;  // Without a colon; may be empty.
  std::string password;
};

// Parses the credentials of the Basic scheme: base64 of "account:password" in UTF-8 (RFC 7617). kInvalidArgument:
// another form. The message never contains the credentials.
absl::StatusOr<BasicCredentials> ParseBasicCredentials(absl::string_view base64);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_AUTH_AUTHORIZATION_HEADER_H_
