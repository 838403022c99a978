#include "services/upstream/login/token_requests.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "services/core/text/percent_encoding.h"
#include "services/runtime/log/limited_log.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"
#include "services/upstream/exchange/answer_error.h"
#include "services/upstream/registry/upstream_error.h"

namespace entrepot::upstream {
namespace {

constexpr absl::string_view kRefreshTokenUser = "<token>";
constexpr size_t kBodyBytesMax = 64 * 1024;
constexpr absl::Duration kTimeout = absl::Seconds(15);

// Services that take no refresh token by POST answer with one of these.
bool MeansNoPost(int status) { return status == 400 || status == 401 || status == 404 || status == 405; }

}  // namespace

struct TokenRequests::Login {
  std::string realm;  // Without a fragment.
  std::string host;   // Of the realm, for messages.
  std::string service;
  std::string scope;

  // "service=…&scope=…", without what the challenge does not have.
  std::string Query() const {
    std::string query;
    if (!service.empty()) absl::StrAppend(&query, "service=", PercentEncode(service));
    if (!scope.empty()) absl::StrAppend(&query, query.empty() ? "" : "&", "scope=", PercentEncode(scope));
    return query;
  }
};

std::string BasicAuthorization(const Credentials& credentials) {
  return absl::StrCat("Basic ", absl::Base64Escape(absl::StrCat(credentials.username, ":", credentials.password)));
}

absl::StatusOr<IssuedToken> TokenRequests::Request(const AuthChallenge& challenge, const std::string& scope,
                                                   bool may_have_credentials) {
  auto token = RequestUncounted(challenge, scope, may_have_credentials);
  parts_.metrics->Count(RequestKind::kToken, token.status());
  return token;
}

absl::StatusOr<IssuedToken> TokenRequests::RequestUncounted(const AuthChallenge& challenge, const std::string& scope,
                                                            bool may_have_credentials) {
  const std::string& realm = challenge.Parameter("realm");
  const auto url = outbound::ParseUrl(realm);
  RealmRule::Use use = url.ok() ? parts_.realms->For(*url) : RealmRule::Use::kRefused;
  if (use == RealmRule::Use::kRefused) {
    return UpstreamError(UpstreamFailure::kInvalid,
                         absl::StrCat(parts_.upstream, " names ", QuotedInput(realm),
                                      " as its token service, which is not a URL with https and without a user"));
  }
  const Login login{.realm = realm.substr(0, realm.find('#')),
                    .host = url->host,
                    .service = challenge.Parameter("service"),
                    .scope = scope};
  if (!may_have_credentials) use = RealmRule::Use::kAnonymous;
  const auto credentials = may_have_credentials ? parts_.credentials->Get() : std::nullopt;
  if (absl::IsCancelled(credentials.status())) return credentials.status();
  if (!credentials.ok()) {
    return UpstreamError(UpstreamFailure::kUnavailable,
                         absl::StrCat(parts_.upstream, ": ", credentials.status().message()));
  }
  if (!credentials->has_value()) return LogIn(login, std::nullopt);
  if (use == RealmRule::Use::kAnonymous) {
    runtime::LogLimited(runtime::LogLevel::kWarning, "credentials not sent to a token service of another domain",
                        parts_.upstream, {{"upstream", parts_.upstream}, {"host", login.host}});
    return LogIn(login, std::nullopt);
  }

  auto token = LogIn(login, *credentials);
  if (FailureOf(token.status()) != UpstreamFailure::kDenied || !parts_.credentials->Drop(**credentials)) return token;
  // What the helper returned may have expired.
  const auto fresh = parts_.credentials->Get();
  if (!fresh.ok() || !fresh->has_value() || *fresh == *credentials) return token;
  return LogIn(login, *fresh);
}

absl::StatusOr<IssuedToken> TokenRequests::LogIn(const Login& login, const std::optional<Credentials>& credentials) {
  if (credentials.has_value() && parts_.refused->Contains(*credentials, login.scope)) {
    return UpstreamError(UpstreamFailure::kDenied,
                         absl::StrCat(parts_.upstream, " has refused its credentials within the last minute"));
  }
  if (credentials.has_value() && credentials->username == kRefreshTokenUser) {
    ASSIGN_OR_RETURN(std::optional<IssuedToken> token, Post(login, *credentials));
    if (token.has_value()) return *std::move(token);
  }
  return Get(login, credentials);
}

absl::StatusOr<std::optional<IssuedToken>> TokenRequests::Post(const Login& login, const Credentials& credentials) {
  outbound::HopRequest request{
      .method = "POST",
      .url = login.realm,
      .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
      .body = absl::StrCat("grant_type=refresh_token&client_id=entrepot&refresh_token=",
                           PercentEncode(credentials.password), "&", login.Query()),
      .timeout = kTimeout,
  };
  ASSIGN_OR_RETURN(const Response response, Send(std::move(request), /*authorization=*/""));
  if (response.answer.head.status == 200) return Parse(login, response.body);
  if (MeansNoPost(response.answer.head.status)) return std::nullopt;
  return Refused(login, credentials, response.answer);
}

absl::StatusOr<IssuedToken> TokenRequests::Get(const Login& login, const std::optional<Credentials>& credentials) {
  const std::string query = login.Query();
  const absl::string_view separator = query.empty() ? "" : login.realm.find('?') == std::string::npos ? "?" : "&";
  outbound::HopRequest request{.url = absl::StrCat(login.realm, separator, query), .timeout = kTimeout};
  ASSIGN_OR_RETURN(const Response response,
                   Send(std::move(request), credentials.has_value() ? BasicAuthorization(*credentials) : ""));
  if (response.answer.head.status == 200) return Parse(login, response.body);
  return Refused(login, credentials, response.answer);
}

absl::Status TokenRequests::Refused(const Login& login, const std::optional<Credentials>& credentials,
                                    const Answer& answer) {
  const int status = answer.head.status;
  const bool is_denial = status == 401 || status == 403 || (status == 400 && credentials.has_value());
  if (is_denial && credentials.has_value()) parts_.refused->Add(*credentials, status == 401 ? "" : login.scope);
  const std::string request = absl::StrCat("the request of a token from ", QuotedInput(login.host));
  const absl::Status error = ErrorOfAnswer(parts_.upstream, request, answer, parts_.clock->Now());
  if (is_denial) return UpstreamError(UpstreamFailure::kDenied, error.message());
  // A token service that is not there is no missing image.
  if (FailureOf(error) == UpstreamFailure::kNotFound) return UpstreamError(UpstreamFailure::kInvalid, error.message());
  return error;
}

absl::StatusOr<TokenRequests::Response> TokenRequests::Send(outbound::HopRequest request,
                                                            const std::string& authorization) {
  request.headers.emplace_back("Accept", "application/json");
  request.headers.emplace_back("Accept-Encoding", "identity");
  std::string body;
  const outbound::HopSink sink{.on_bytes = [&](absl::string_view bytes) {
    if (body.size() + bytes.size() > kBodyBytesMax) {
      return UpstreamError(UpstreamFailure::kInvalid,
                           absl::StrCat("the token service of ", parts_.upstream, " answers with more than 64 KiB"));
    }
    absl::StrAppend(&body, bytes);
    return absl::OkStatus();
  }};
  const auto authorize = [&](const outbound::Url& /*url*/, bool left_origin) -> absl::StatusOr<std::string> {
    return left_origin ? "" : authorization;
  };
  ASSIGN_OR_RETURN(Answer answer, parts_.follower->Send(std::move(request), authorize, sink));
  return Response{.answer = std::move(answer), .body = std::move(body)};
}

absl::StatusOr<IssuedToken> TokenRequests::Parse(const Login& login, absl::string_view body) const {
  auto token = ParseTokenAnswer(body);
  if (token.ok()) return token;
  return UpstreamError(UpstreamFailure::kInvalid, absl::StrCat(parts_.upstream, ": the answer of the token service ",
                                                               QuotedInput(login.host), " ", token.status().message()));
}

}  // namespace entrepot::upstream
