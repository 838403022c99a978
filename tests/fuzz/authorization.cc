#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gateway/api/auth/authorization_header.h"
#include "tests/fuzz/error_properties.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::gateway::api::Authorization;
using entrepot::gateway::api::ParseAuthorization;
using entrepot::gateway::api::ParseBasicCredentials;

namespace {

void CheckBasic(absl::string_view base64) {
  const auto credentials = ParseBasicCredentials(base64);
  if (!credentials.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(credentials.status()));
    entrepot::fuzz::CheckMessage(credentials.status());
    return;
  }
  FUZZ_CHECK(credentials->account.find(':') == std::string::npos);
  // Parsed credentials, encoded again, are parsed to the same values.
  const auto again =
      ParseBasicCredentials(absl::Base64Escape(absl::StrCat(credentials->account, ":", credentials->password)));
  FUZZ_CHECK(again.ok());
  FUZZ_CHECK(again->account == credentials->account && again->password == credentials->password);
}

}  // namespace

FUZZ_TARGET(input) {
  CheckBasic(input);
  const auto authorization = ParseAuthorization(input);
  if (!authorization.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(authorization.status()));
    entrepot::fuzz::CheckMessage(authorization.status());
    return;
  }
  FUZZ_CHECK(!authorization->scheme.empty() && !authorization->credentials.empty());
  FUZZ_CHECK(authorization->credentials.find_first_of(" \t\r\n,\"") == absl::string_view::npos);
  FUZZ_CHECK(!authorization->IsBasic() || !authorization->IsBearer());
  if (authorization->IsBasic()) CheckBasic(authorization->credentials);
}
