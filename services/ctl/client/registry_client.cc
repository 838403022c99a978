#include "services/ctl/client/registry_client.h"

#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"
#include "google/protobuf/util/json_util.h"
#include "services/core/access_scope.h"
#include "services/core/text/percent_encoding.h"
#include "services/core/text/utf8.h"
#include "services/ctl/command_line/user_input.h"
#include "services/ctl/output/terminal_output.h"
#include "services/outbound/url.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

namespace json = boost::json;

json::value Parsed(const std::string& text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  return error ? json::value() : value;
}

// A member of an object; null if `object` is not one or has no such member.
json::value Member(const json::value& object, const char* name) {
  const json::object* members = object.if_object();
  const json::value* member = members != nullptr ? members->if_contains(name) : nullptr;
  return member != nullptr ? *member : json::value();
}

std::string TextOf(const json::value& value) {
  if (value.is_null()) return "";
  return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

// Whether all strings of a message are UTF-8. Protobuf's JSON printer would leave out the others.
bool IsUtf8(const google::protobuf::Message& message) {
  using google::protobuf::FieldDescriptor;
  const google::protobuf::Reflection* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
        const std::string text = field->is_repeated() ? reflection->GetRepeatedString(message, field, i)
                                                      : reflection->GetString(message, field);
        if (Utf8PrefixLength(text) != text.size()) return false;
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        if (!IsUtf8(field->is_repeated() ? reflection->GetRepeatedMessage(message, field, i)
                                         : reflection->GetMessage(message, field))) {
          return false;
        }
      }
    }
  }
  return true;
}

// The registry at `address`: a URL, or a host with or without a port. As for docker, a host of this machine without a
// scheme is http, any other one https.
absl::Status SetRegistry(const std::string& address, RegistryClient::Options* options) {
  const auto refuse = [&](absl::string_view reason) {
    return absl::InvalidArgumentError(absl::StrCat("the registry's address ", QuotedInput(address), " ", reason));
  };
  const bool has_scheme = absl::StrContains(address, "://");
  const absl::StatusOr<outbound::Url> url =
      outbound::ParseUrl(has_scheme ? address : absl::StrCat("https://", address));
  if (!url.ok()) return refuse(absl::StrCat("is ", url.status().message()));
  if (url->scheme != "http" && url->scheme != "https") return refuse("must begin with http:// or https://");
  if (url->has_more || url->path != "/") {
    return refuse("must be a host with an optional port, as in https://registry.example:5000");
  }
  const bool is_plain = has_scheme ? url->scheme == "http" : url->IsLoopback();
  options->registry =
      absl::StrCat(is_plain ? "http" : "https", "://", url->host, url->port.empty() ? "" : ":", url->port);
  options->is_unencrypted = is_plain && !url->IsLoopback();
  return absl::OkStatus();
}

}  // namespace

std::string ErrorText(const HttpAnswer& answer) {
  std::string text = absl::StrCat(answer.status);
  const json::value errors = Member(Parsed(answer.body), "errors");
  const json::array* list = errors.if_array();
  if (list == nullptr || list->empty()) return text;
  for (const json::value& error : *list) {
    absl::StrAppend(&text, &error == &list->front() ? " " : "; ", TextOf(Member(error, "code")), ": ",
                    TextOf(Member(error, "message")));
    const std::string detail = TextOf(Member(error, "detail"));
    if (!detail.empty() && detail != "{}") absl::StrAppend(&text, " (", detail, ")");
  }
  return Printable(text);
}

absl::Status AnswerError(const HttpAnswer& answer) {
  const std::string text = absl::StrCat("the registry answered ", ErrorText(answer));
  if (answer.status == 401) return absl::UnauthenticatedError(text);
  if (answer.status == 404) return absl::NotFoundError(text);
  return answer.status == 503 ? absl::UnavailableError(text) : absl::FailedPreconditionError(text);
}

absl::StatusOr<RegistryClient::Options> RegistryClient::OptionsOf(const CommandLine& line) {
  Options options;
  // A variable that is set and not in the command line is empty.
  if (!line.Has("--registry") && std::getenv("ENTREPOT_REGISTRY") != nullptr) {
    return absl::InvalidArgumentError("the registry's address is empty: give ENTREPOT_REGISTRY a value, or unset it");
  }
  RETURN_IF_ERROR(SetRegistry(line.Has("--registry") ? line.Value("--registry") : "http://localhost:5000", &options));
  options.username = line.Value("--username");
  options.password_file = line.Value("--password-file");
  const char* password = std::getenv("ENTREPOT_PASSWORD");
  options.password = password != nullptr ? password : "";
  options.ca_file = line.Value("--ca-file");
  return options;
}

RegistryClient::RegistryClient(Options options, HttpClient& http) : options_(std::move(options)), http_(http) {}

RegistryClient::RegistryClient(absl::Status unusable, HttpClient& http) : unusable_(std::move(unusable)), http_(http) {}

absl::StatusOr<std::string> RegistryClient::Password() {
  if (!options_.password_file.empty()) return PasswordInFile(options_.password_file);
  if (!options_.password.empty()) return options_.password;
  if (password_.empty()) {
    ASSIGN_OR_RETURN(password_, AskPassword(absl::StrCat("Password of ", options_.username, " at ", options_.registry),
                                            "set ENTREPOT_PASSWORD or use --password-file"));
  }
  return password_;
}

absl::Status RegistryClient::LogIn() {
  RETURN_IF_ERROR(unusable_);
  if (!token_.empty()) return absl::OkStatus();
  if (options_.username.empty()) {
    return absl::InvalidArgumentError("an account is required: set ENTREPOT_USERNAME or use --username");
  }
  ASSIGN_OR_RETURN(token_, FetchToken(std::string(kAdministrationScope)));
  return absl::OkStatus();
}

absl::StatusOr<std::string> RegistryClient::FetchToken(const std::string& scopes) {
  HttpRequest request;
  request.url = absl::StrCat(options_.registry, "/token?client_id=entrepotctl");
  for (const absl::string_view scope : absl::StrSplit(scopes, ' ')) {
    absl::StrAppend(&request.url, "&scope=", PercentEncode(scope));
  }
  request.username = options_.username;
  request.ca_file = options_.ca_file;
  if (!options_.username.empty()) {
    if (options_.is_unencrypted && !has_warned_) {
      std::fprintf(stderr, "entrepotctl: warning: your password is sent to %s without encryption; use https\n",
                   options_.registry.c_str());
    }
    has_warned_ = true;
    ASSIGN_OR_RETURN(request.password, Password());
  }
  ASSIGN_OR_RETURN(const HttpAnswer answer, http_.Send(request));
  if (answer.status == 404) {
    return absl::NotFoundError(
        absl::StrCat(options_.registry,
                     " issues no tokens: it runs without accounts (scripts/serve --accounts) or is not Entrepot"));
  }
  if (answer.status != 200) return AnswerError(answer);
  std::string token = TextOf(Member(Parsed(answer.body), "token"));
  if (token.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(options_.registry, "/token answered without a token"));
  }
  return token;
}

absl::StatusOr<HttpAnswer> RegistryClient::SendContent(HttpRequest request, const std::string& scopes) {
  RETURN_IF_ERROR(unusable_);
  request.ca_file = options_.ca_file;
  if (absl::StartsWith(request.url, "/")) {
    request.url = absl::StrCat(options_.registry, request.url);
  } else if (!absl::StartsWith(request.url, absl::StrCat(options_.registry, "/"))) {
    return http_.Send(request);
  }
  std::string& token = content_tokens_[scopes];
  const auto log_in = [&]() -> absl::Status {
    absl::StatusOr<std::string> fetched = FetchToken(scopes);
    if (absl::IsNotFound(fetched.status())) has_no_accounts_ = true;
    if (has_no_accounts_) return absl::OkStatus();
    ASSIGN_OR_RETURN(token, std::move(fetched));
    return absl::OkStatus();
  };
  if (!options_.username.empty() && token.empty() && !has_no_accounts_) RETURN_IF_ERROR(log_in());
  request.token = token;
  ASSIGN_OR_RETURN(HttpAnswer answer, http_.Send(request));
  if (answer.status != 401) return answer;
  // A transfer outlives its token; and without an account, the registry may want the token of an anonymous caller.
  RETURN_IF_ERROR(log_in());
  request.token = token;
  ASSIGN_OR_RETURN(answer, http_.Send(request));
  if (answer.status != 401) return answer;
  if (options_.username.empty()) {
    return absl::UnauthenticatedError(absl::StrCat("the registry answered ", ErrorText(answer),
                                                   "; to log in, set ENTREPOT_USERNAME or use --username"));
  }
  return AnswerError(answer);
}

absl::StatusOr<HttpAnswer> RegistryClient::Send(HttpRequest request) {
  RETURN_IF_ERROR(unusable_);
  request.url = absl::StrCat(options_.registry, request.url);
  request.token = token_;
  request.ca_file = options_.ca_file;
  ASSIGN_OR_RETURN(HttpAnswer answer, http_.Send(request));
  if (answer.status == 401 && !token_.empty()) {
    // A long command outlives its token.
    token_.clear();
    RETURN_IF_ERROR(LogIn());
    request.token = token_;
    ASSIGN_OR_RETURN(answer, http_.Send(request));
  }
  if (answer.status / 100 != 2) return AnswerError(answer);
  return answer;
}

absl::Status RegistryClient::Exchange(const std::string& url, const google::protobuf::Message& request,
                                      google::protobuf::Message* response) {
  HttpRequest http;
  http.method = "POST";
  http.url = url;
  if (!IsUtf8(request) || !google::protobuf::util::MessageToJsonString(request, &http.body).ok()) {
    return absl::InvalidArgumentError("an argument, an option or a file that it names is not UTF-8");
  }
  ASSIGN_OR_RETURN(const HttpAnswer answer, Send(std::move(http)));
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  if (!google::protobuf::util::JsonStringToMessage(answer.body, response, options).ok()) {
    return absl::FailedPreconditionError("the registry's answer is not the expected JSON");
  }
  return absl::OkStatus();
}

absl::StatusOr<auth::v1::AdministerResponse> RegistryClient::Administer(const auth::v1::AdministerRequest& request) {
  RETURN_IF_ERROR(LogIn());
  auth::v1::AdministerResponse response;
  RETURN_IF_ERROR(Exchange("/entrepot/v1/administer", request, &response));
  return response;
}

absl::Status RegistryClient::ExchangeAsAdministrator(const std::string& url, const google::protobuf::Message& request,
                                                     google::protobuf::Message* response) {
  if (!options_.username.empty() && !has_no_accounts_) {
    const absl::Status status = LogIn();
    has_no_accounts_ = absl::IsNotFound(status);
    if (!has_no_accounts_) RETURN_IF_ERROR(status);
  }
  absl::Status status = Exchange(url, request, response);
  // The login's message names the option that is missing.
  if (absl::IsUnauthenticated(status) && options_.username.empty()) RETURN_IF_ERROR(LogIn());
  return status;
}

absl::StatusOr<manifest::v1::MaintainResponse> RegistryClient::Maintain(const manifest::v1::MaintainRequest& request) {
  manifest::v1::MaintainResponse response;
  RETURN_IF_ERROR(ExchangeAsAdministrator("/entrepot/v1/maintain", request, &response));
  return response;
}

absl::StatusOr<upstream::v1::ManageUpstreamsResponse> RegistryClient::ManageUpstreams(
    const upstream::v1::ManageUpstreamsRequest& request) {
  upstream::v1::ManageUpstreamsResponse response;
  RETURN_IF_ERROR(ExchangeAsAdministrator("/entrepot/v1/upstreams", request, &response));
  return response;
}

absl::Status RegistryClient::DeleteRepository(const std::string& name) {
  RETURN_IF_ERROR(LogIn());
  HttpRequest request;
  request.method = "DELETE";
  request.url = absl::StrCat("/entrepot/v1/repositories/", absl::StrReplaceAll(PercentEncode(name), {{"%2F", "/"}}));
  return Send(std::move(request)).status();
}

}  // namespace entrepot::ctl
