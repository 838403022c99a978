#include "gateway/api/auth/token_form.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gateway/api/auth/authorization_header.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

using auth::v1::IssueTokenRequest;

constexpr size_t kScopesMax = 100;
constexpr size_t kScopeBytesMax = 1024;
constexpr size_t kNameBytesMax = 256;
constexpr size_t kSecretBytesMax = 16 * 1024;
constexpr absl::string_view kTokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange";
constexpr std::array<absl::string_view, 2> kSubjectTokenTypes = {"urn:ietf:params:oauth:token-type:id_token",
                                                                 "urn:ietf:params:oauth:token-type:jwt"};
constexpr std::array<absl::string_view, 8> kCredentialNames = {
    "password", "username", "refresh_token", "access_token", "subject_token", "token", "client_secret", "assertion"};

// The only value of the parameter; "" without one.
absl::StatusOr<std::string> Value(const Query& parameters, absl::string_view name, size_t bytes_max) {
  std::vector<std::string> values = parameters.All(name);
  if (values.empty()) return "";
  if (values.size() > 1) return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" is given more than once"));
  if (values.front().size() > bytes_max) {
    return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" is longer than ", bytes_max, " bytes"));
  }
  return std::move(values.front());
}

absl::StatusOr<std::string> RequiredValue(const Query& parameters, absl::string_view name, size_t bytes_max) {
  ASSIGN_OR_RETURN(std::string value, Value(parameters, name, bytes_max));
  if (value.empty()) return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" is missing"));
  return value;
}

absl::Status ReadScopes(const Query& parameters, IssueTokenRequest* request) {
  for (const std::string& joined : parameters.All("scope")) {
    for (const absl::string_view scope : absl::StrSplit(joined, ' ', absl::SkipEmpty())) {
      if (scope.size() > kScopeBytesMax) {
        return absl::InvalidArgumentError(absl::StrCat("a scope is longer than ", kScopeBytesMax, " bytes"));
      }
      request->add_scopes(std::string(scope));
    }
  }
  if (request->scopes_size() > static_cast<int>(kScopesMax)) {
    return absl::InvalidArgumentError(absl::StrCat("more than ", kScopesMax, " scopes"));
  }
  return absl::OkStatus();
}

absl::StatusOr<IssueTokenRequest> ReadCommon(const Query& parameters) {
  IssueTokenRequest request;
  ASSIGN_OR_RETURN(*request.mutable_service(), Value(parameters, "service", kNameBytesMax));
  ASSIGN_OR_RETURN(*request.mutable_client_id(), Value(parameters, "client_id", kNameBytesMax));
  RETURN_IF_ERROR(ReadScopes(parameters, &request));
  return request;
}

absl::Status ReadSubjectToken(const Query& form, IssueTokenRequest* request) {
  ASSIGN_OR_RETURN(const std::string type, Value(form, "subject_token_type", kNameBytesMax));
  if (!type.empty() &&
      std::find(kSubjectTokenTypes.begin(), kSubjectTokenTypes.end(), type) == kSubjectTokenTypes.end()) {
    return absl::InvalidArgumentError("\"subject_token_type\" must be the type of an id_token or a jwt");
  }
  ASSIGN_OR_RETURN(*request->mutable_identity_token(), RequiredValue(form, "subject_token", kSecretBytesMax));
  return absl::OkStatus();
}

absl::Status ReadGrant(const Query& form, IssueTokenRequest* request) {
  ASSIGN_OR_RETURN(const std::string grant, RequiredValue(form, "grant_type", kNameBytesMax));
  if (grant == "password") {
    ASSIGN_OR_RETURN(*request->mutable_password()->mutable_account(), RequiredValue(form, "username", kNameBytesMax));
    ASSIGN_OR_RETURN(*request->mutable_password()->mutable_password(),
                     RequiredValue(form, "password", kSecretBytesMax));
    return absl::OkStatus();
  }
  if (grant == "refresh_token") {
    ASSIGN_OR_RETURN(*request->mutable_refresh_token(), RequiredValue(form, "refresh_token", kSecretBytesMax));
    return absl::OkStatus();
  }
  if (grant == kTokenExchange) return ReadSubjectToken(form, request);
  return absl::InvalidArgumentError(absl::StrCat("\"grant_type\" must be password, refresh_token or ", kTokenExchange));
}

}  // namespace

absl::StatusOr<Query> ParseForm(absl::string_view text) {
  absl::StatusOr<Query> form = Query::Parse(absl::StrReplaceAll(text, {{"+", " "}}));
  if (!form.ok()) return absl::InvalidArgumentError("the parameters are not percent-encoded UTF-8");
  return form;
}

bool HoldsCredential(const Query& query) {
  return std::any_of(kCredentialNames.begin(), kCredentialNames.end(),
                     [&](absl::string_view name) { return query.Has(name); });
}

absl::StatusOr<IssueTokenRequest> ReadTokenQuery(const Query& query,
                                                 const std::optional<Authorization>& authorization) {
  if (HoldsCredential(query)) {
    return absl::InvalidArgumentError(
        "a credential in the query is refused: send it with Basic authentication, or in a form");
  }
  ASSIGN_OR_RETURN(IssueTokenRequest request, ReadCommon(query));
  ASSIGN_OR_RETURN(const std::string offline, Value(query, "offline_token", kNameBytesMax));
  request.set_offline(offline == "true" || offline == "1");
  if (!authorization.has_value()) return request;
  if (!authorization->IsBasic()) return absl::InvalidArgumentError("a request for a token needs Basic credentials");
  ASSIGN_OR_RETURN(BasicCredentials credentials, ParseBasicCredentials(authorization->credentials));
  request.mutable_password()->set_account(std::move(credentials.account));
  request.mutable_password()->set_password(std::move(credentials.password));
  return request;
}

absl::StatusOr<IssueTokenRequest> ReadTokenForm(const Query& form) {
  ASSIGN_OR_RETURN(IssueTokenRequest request, ReadCommon(form));
  ASSIGN_OR_RETURN(const std::string access, Value(form, "access_type", kNameBytesMax));
  request.set_offline(access == "offline");
  RETURN_IF_ERROR(ReadGrant(form, &request));
  return request;
}

}  // namespace entrepot::gateway::api
