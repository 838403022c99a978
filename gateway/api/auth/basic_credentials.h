#ifndef ENTREPOT_GATEWAY_API_AUTH_BASIC_CREDENTIALS_H_
#define ENTREPOT_GATEWAY_API_AUTH_BASIC_CREDENTIALS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot::gateway::api {

struct BasicCredentials {
  std::string account;  // Without a colon; may be empty.
  std::string password;
};

// The credentials of the Basic scheme: base64 of "account:password" in UTF-8 (RFC 7617). kInvalidArgument: they are not
// of that form, or longer than 4096 bytes; the message never holds what was sent.
absl::StatusOr<BasicCredentials> ParseBasicCredentials(absl::string_view base64);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_AUTH_BASIC_CREDENTIALS_H_
