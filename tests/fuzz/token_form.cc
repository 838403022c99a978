#include "gateway/api/auth/token_form.h"

#include <string>

#include "tests/fuzz/error_properties.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::auth::v1::IssueTokenRequest;
using entrepot::gateway::api::Authorization;
using entrepot::gateway::api::HoldsCredential;
using entrepot::gateway::api::ParseForm;
using entrepot::gateway::api::ReadTokenForm;
using entrepot::gateway::api::ReadTokenQuery;

namespace {

void CheckError(const absl::Status& status) {
  FUZZ_CHECK(absl::IsInvalidArgument(status));
  entrepot::fuzz::CheckMessage(status);
}

void CheckRequest(const IssueTokenRequest& request) {
  FUZZ_CHECK(request.scopes_size() <= 1000);
  for (const std::string& scope : request.scopes()) {
    FUZZ_CHECK(!scope.empty() && scope.size() <= 1024 && scope.find(' ') == std::string::npos);
  }
  FUZZ_CHECK(request.service().size() <= 256 && request.client_id().size() <= 256);
  // Protobuf's strings are UTF-8: a request that was read can be sent.
  std::string bytes;
  FUZZ_CHECK(request.SerializeToString(&bytes));
  IssueTokenRequest again;
  FUZZ_CHECK(again.ParseFromString(bytes));
}

}  // namespace

FUZZ_TARGET(input) {
  const auto form = ParseForm(input);
  if (!form.ok()) return CheckError(form.status());
  const auto posted = ReadTokenForm(*form);
  if (posted.ok()) {
    CheckRequest(*posted);
    FUZZ_CHECK(posted->credential_case() != IssueTokenRequest::CREDENTIAL_NOT_SET ||
               (form->Has("username") && form->Has("password")));
    FUZZ_CHECK(!posted->has_password() || !posted->password().account().empty());
  } else {
    CheckError(posted.status());
  }
  const auto queried = ReadTokenQuery(*form, std::nullopt);
  if (queried.ok()) {
    CheckRequest(*queried);
    FUZZ_CHECK(!HoldsCredential(*form));
    FUZZ_CHECK(queried->credential_case() == IssueTokenRequest::CREDENTIAL_NOT_SET);
  } else {
    CheckError(queried.status());
  }
}
