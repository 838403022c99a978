#include "services/ctl/session.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"
#include "google/protobuf/util/json_util.h"
#include "services/core/access_scope.h"
#include "services/ctl/passwords.h"
#include "services/ctl/table.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

namespace json = boost::json;

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string FirstOf(const std::string& one, const std::string& other) { return one.empty() ? other : one; }

json::value Parsed(const std::string& text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  return error ? json::value() : value;
}

// A member of an object; null where there is none.
json::value Member(const json::value& object, const char* name) {
  const json::object* members = object.if_object();
  const json::value* member = members != nullptr ? members->if_contains(name) : nullptr;
  return member != nullptr ? *member : json::value();
}

std::string TextOf(const json::value& value) {
  if (value.is_null()) return "";
  return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

absl::Status Refused(const HttpAnswer& answer) {
  const std::string text = absl::StrCat("the registry answered ", ErrorText(answer));
  if (answer.status == 401) return absl::UnauthenticatedError(text);
  if (answer.status == 404) return absl::NotFoundError(text);
  return answer.status == 503 ? absl::UnavailableError(text) : absl::FailedPreconditionError(text);
}

// Whether what goes there can be read on the way.
bool InClear(const std::string& registry) {
  absl::string_view host = registry;
  if (!absl::ConsumePrefix(&host, "http://")) return false;
  return !absl::StartsWith(host, "localhost") && !absl::StartsWith(host, "127.") && !absl::StartsWith(host, "[::1]");
}

}  // namespace

std::string ErrorText(const HttpAnswer& answer) {
  std::string text = absl::StrCat(answer.status);
  const json::value errors = Member(Parsed(answer.body), "errors");
  const json::array* list = errors.if_array();
  if (list == nullptr || list->empty()) return text;
  for (const json::value& error : *list) {
    absl::StrAppend(&text, list->size() > 1 ? "\n  " : " ", TextOf(Member(error, "code")), ": ",
                    TextOf(Member(error, "message")));
    const std::string detail = TextOf(Member(error, "detail"));
    if (!detail.empty() && detail != "{}") absl::StrAppend(&text, " (", detail, ")");
  }
  return Printable(text);
}

Session::Options Session::OptionsOf(const CommandLine& line) {
  Options options;
  options.registry = FirstOf(line.Option("--registry"), FromEnvironment("ENTREPOT_REGISTRY"));
  options.registry = FirstOf(options.registry, "http://localhost:5000");
  if (!absl::StrContains(options.registry, "://")) options.registry = absl::StrCat("https://", options.registry);
  options.registry = std::string(absl::StripSuffix(options.registry, "/"));
  options.username = FirstOf(line.Option("--username"), FromEnvironment("ENTREPOT_USERNAME"));
  options.password_file = line.Option("--password-file");
  options.password = FromEnvironment("ENTREPOT_PASSWORD");
  options.ca_file = line.Option("--ca-file");
  options.json = line.Option("--output") == "json";
  return options;
}

Session::Session(Options options) : options_(std::move(options)), http_(options_.ca_file) {}

absl::StatusOr<std::string> Session::Password() {
  if (!options_.password_file.empty()) return PasswordInFile(options_.password_file);
  if (!options_.password.empty()) return options_.password;
  if (password_.empty()) {
    ASSIGN_OR_RETURN(password_, AskPassword(absl::StrCat("Password of ", options_.username, " at ", options_.registry),
                                            "set ENTREPOT_PASSWORD or use --password-file"));
  }
  return password_;
}

absl::Status Session::LogIn() {
  if (!token_.empty()) return absl::OkStatus();
  if (options_.username.empty()) {
    return absl::InvalidArgumentError("who are you? set ENTREPOT_USERNAME or use --username");
  }
  if (InClear(options_.registry)) {
    std::fprintf(stderr, "entrepotctl: warning: your password crosses the network in clear to %s; use https\n",
                 options_.registry.c_str());
  }
  HttpRequest request;
  request.url = absl::StrCat(options_.registry, "/token?client_id=entrepotctl&scope=",
                             PercentEncoded(std::string(kAdministrationScope), /*keep_slashes=*/false));
  request.username = options_.username;
  ASSIGN_OR_RETURN(request.password, Password());
  ASSIGN_OR_RETURN(const HttpAnswer answer, http_.Send(request));
  if (answer.status == 404) {
    return absl::NotFoundError(absl::StrCat(
        options_.registry, " gives no tokens: it runs without accounts (scripts/serve --accounts), or is no Entrepot"));
  }
  if (answer.status != 200) return Refused(answer);
  token_ = TextOf(Member(Parsed(answer.body), "token"));
  if (token_.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(options_.registry, "/token answered without a token"));
  }
  return absl::OkStatus();
}

absl::StatusOr<HttpAnswer> Session::Send(HttpRequest request) {
  request.url = absl::StrCat(options_.registry, request.url);
  request.token = token_;
  ASSIGN_OR_RETURN(HttpAnswer answer, http_.Send(request));
  if (answer.status == 401 && !token_.empty()) {
    // What takes long outlives its token.
    token_.clear();
    RETURN_IF_ERROR(LogIn());
    request.token = token_;
    ASSIGN_OR_RETURN(answer, http_.Send(request));
  }
  if (answer.status / 100 != 2) return Refused(answer);
  return answer;
}

absl::Status Session::Exchange(const std::string& url, const google::protobuf::Message& request,
                               google::protobuf::Message* response) {
  HttpRequest http;
  http.method = "POST";
  http.url = url;
  if (!google::protobuf::util::MessageToJsonString(request, &http.body).ok()) {
    return absl::InvalidArgumentError("what was typed is not UTF-8");
  }
  ASSIGN_OR_RETURN(const HttpAnswer answer, Send(std::move(http)));
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  if (!google::protobuf::util::JsonStringToMessage(answer.body, response, options).ok()) {
    return absl::FailedPreconditionError("the registry's answer was not understood");
  }
  return absl::OkStatus();
}

absl::StatusOr<auth::v1::AdministerResponse> Session::Administer(const auth::v1::AdministerRequest& request) {
  RETURN_IF_ERROR(LogIn());
  auth::v1::AdministerResponse response;
  RETURN_IF_ERROR(Exchange("/entrepot/v1/administer", request, &response));
  return response;
}

absl::StatusOr<manifest::v1::MaintainResponse> Session::Maintain(const manifest::v1::MaintainRequest& request) {
  if (!options_.username.empty() && !open_) {
    const absl::Status status = LogIn();
    open_ = absl::IsNotFound(status);
    if (!open_) RETURN_IF_ERROR(status);
  }
  manifest::v1::MaintainResponse response;
  const absl::Status status = Exchange("/entrepot/v1/maintain", request, &response);
  // Its answer says less than what there is to do about it.
  if (absl::IsUnauthenticated(status) && options_.username.empty()) RETURN_IF_ERROR(LogIn());
  RETURN_IF_ERROR(status);
  return response;
}

absl::Status Session::DeleteRepository(const std::string& name) {
  RETURN_IF_ERROR(LogIn());
  HttpRequest request;
  request.method = "DELETE";
  request.url = absl::StrCat("/entrepot/v1/repositories/", PercentEncoded(name, /*keep_slashes=*/true));
  return Send(std::move(request)).status();
}

}  // namespace entrepot::ctl
