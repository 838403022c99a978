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

constexpr size_t kScopeBytesMax = 1024;
constexpr size_t kNameBytesMax = 256;
constexpr absl::string_view kFixed = "a fixed limit";
constexpr absl::string_view kTokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange";
constexpr std::array<absl::string_view, 2> kSubjectTokenTypes = {"urn:ietf:params:oauth:token-type:id_token",
                                                                 "urn:ietf:params:oauth:token-type:jwt"};
constexpr std::array<absl::string_view, 8> kCredentialNames = {
    "password", "username", "refresh_token", "access_token", "subject_token", "token", "client_secret", "assertion"};

absl::Status CheckLength(absl::string_view what, size_t bytes, size_t bytes_max, absl::string_view setting) {
  if (bytes <= bytes_max) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(what, " is longer than ", bytes_max, " bytes (", setting, ")"));
}

absl::Status CheckCredential(absl::string_view what, size_t bytes, const TokenRequestLimits& limits) {
  return CheckLength(what, bytes, limits.credential_bytes_max, "limits.credential_bytes_max");
}

// The only value of the parameter; nullopt without one.
absl::StatusOr<std::optional<std::string>> Single(const Query& parameters, absl::string_view name) {
  std::vector<std::string> values = parameters.All(name);
  if (values.empty()) return std::nullopt;
  if (values.size() > 1) return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" is given more than once"));
  return std::move(values.front());
}

// "" without the parameter.
absl::StatusOr<std::string> ShortValue(const Query& parameters, absl::string_view name) {
  ASSIGN_OR_RETURN(std::optional<std::string> value, Single(parameters, name));
  if (!value.has_value()) return "";
  RETURN_IF_ERROR(CheckLength(absl::StrCat("\"", name, "\""), value->size(), kNameBytesMax, kFixed));
  return *std::move(value);
}

absl::Status Missing(absl::string_view name) {
  return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" is missing"));
}

absl::StatusOr<std::string> Credential(const Query& form, absl::string_view name, const TokenRequestLimits& limits) {
  ASSIGN_OR_RETURN(std::optional<std::string> value, Single(form, name));
  if (!value.has_value() || value->empty()) return Missing(name);
  RETURN_IF_ERROR(CheckCredential(absl::StrCat("\"", name, "\""), value->size(), limits));
  return *std::move(value);
}

absl::Status ReadScopes(const Query& parameters, const TokenRequestLimits& limits, IssueTokenRequest* request) {
  for (const std::string& joined : parameters.All("scope")) {
    for (const absl::string_view scope : absl::StrSplit(joined, ' ', absl::SkipEmpty())) {
      RETURN_IF_ERROR(CheckLength("a scope", scope.size(), kScopeBytesMax, kFixed));
      if (static_cast<size_t>(request->scopes_size()) == limits.scopes_max) {
        return absl::InvalidArgumentError(
            absl::StrCat("the request has more than ", limits.scopes_max, " scopes (limits.scopes_max)"));
      }
      request->add_scopes(std::string(scope));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<IssueTokenRequest> ReadCommon(const Query& parameters, const TokenRequestLimits& limits) {
  IssueTokenRequest request;
  ASSIGN_OR_RETURN(*request.mutable_service(), ShortValue(parameters, "service"));
  ASSIGN_OR_RETURN(*request.mutable_client_id(), ShortValue(parameters, "client_id"));
  RETURN_IF_ERROR(ReadScopes(parameters, limits, &request));
  return request;
}

// Leaves the request anonymous if both are empty.
absl::Status SetPassword(std::string account, std::string password, const TokenRequestLimits& limits,
                         IssueTokenRequest* request) {
  if (account.empty() && password.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(CheckLength("the account", account.size(), kNameBytesMax, kFixed));
  RETURN_IF_ERROR(CheckCredential("the password", password.size(), limits));
  request->mutable_password()->set_account(std::move(account));
  request->mutable_password()->set_password(std::move(password));
  return absl::OkStatus();
}

absl::Status ReadPassword(const Query& form, const TokenRequestLimits& limits, IssueTokenRequest* request) {
  ASSIGN_OR_RETURN(std::optional<std::string> account, Single(form, "username"));
  ASSIGN_OR_RETURN(std::optional<std::string> password, Single(form, "password"));
  if (!account.has_value()) return Missing("username");
  if (!password.has_value()) return Missing("password");
  if (account->empty() != password->empty()) return Missing(account->empty() ? "username" : "password");
  return SetPassword(*std::move(account), *std::move(password), limits, request);
}

absl::Status ReadSubjectToken(const Query& form, const TokenRequestLimits& limits, IssueTokenRequest* request) {
  ASSIGN_OR_RETURN(const std::string type, ShortValue(form, "subject_token_type"));
  if (!type.empty() &&
      std::find(kSubjectTokenTypes.begin(), kSubjectTokenTypes.end(), type) == kSubjectTokenTypes.end()) {
    return absl::InvalidArgumentError("\"subject_token_type\" must be the type of an id_token or a jwt");
  }
  ASSIGN_OR_RETURN(*request->mutable_identity_token(), Credential(form, "subject_token", limits));
  return absl::OkStatus();
}

absl::Status ReadGrant(const Query& form, const TokenRequestLimits& limits, IssueTokenRequest* request) {
  ASSIGN_OR_RETURN(const std::string grant, ShortValue(form, "grant_type"));
  if (grant.empty()) return Missing("grant_type");
  if (grant == "password") return ReadPassword(form, limits, request);
  if (grant == "refresh_token") {
    ASSIGN_OR_RETURN(*request->mutable_refresh_token(), Credential(form, "refresh_token", limits));
    return absl::OkStatus();
  }
  if (grant == kTokenExchange) return ReadSubjectToken(form, limits, request);
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

absl::StatusOr<IssueTokenRequest> ReadTokenQuery(const Query& query, const std::optional<Authorization>& authorization,
                                                 const TokenRequestLimits& limits) {
  if (HoldsCredential(query)) {
    return absl::InvalidArgumentError(
        "a credential in the query is refused: send it with Basic authentication, or in a form");
  }
  ASSIGN_OR_RETURN(IssueTokenRequest request, ReadCommon(query, limits));
  ASSIGN_OR_RETURN(const std::string offline, ShortValue(query, "offline_token"));
  request.set_offline(offline == "true" || offline == "1");
  if (!authorization.has_value()) return request;
  if (!authorization->IsBasic()) return absl::InvalidArgumentError("a request for a token needs Basic credentials");
  ASSIGN_OR_RETURN(BasicCredentials credentials, ParseBasicCredentials(authorization->credentials));
  RETURN_IF_ERROR(SetPassword(std::move(credentials.account), std::move(credentials.password), limits, &request));
  return request;
}

absl::StatusOr<IssueTokenRequest> ReadTokenForm(const Query& form, const TokenRequestLimits& limits) {
  ASSIGN_OR_RETURN(IssueTokenRequest request, ReadCommon(form, limits));
  ASSIGN_OR_RETURN(const std::string access, ShortValue(form, "access_type"));
  request.set_offline(access == "offline");
  RETURN_IF_ERROR(ReadGrant(form, limits, &request));
  return request;
}

}  // namespace entrepot::gateway::api
