#include "services/outbound/http_client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/status/status_macros.h"

namespace entrepot::outbound {
namespace {

struct CurlDeleter {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Curl = std::unique_ptr<CURL, CurlDeleter>;
using CurlUrl = std::unique_ptr<CURLU, CurlDeleter>;
using CurlList = std::unique_ptr<curl_slist, CurlDeleter>;

// What libcurl's callbacks read and write during one request.
struct Transfer {
  const HttpClientOptions& options;
  size_t header_bytes = 0;
  std::string body = {};
  std::string problem = {};
  absl::Status refused = absl::OkStatus();
};

// In the callbacks that receive data, any other number than `size` ends the transfer.
size_t ReceiveHeader(char*, size_t, size_t size, void* to) {
  auto& transfer = *static_cast<Transfer*>(to);
  transfer.header_bytes += size;
  if (transfer.header_bytes <= transfer.options.header_bytes_max) return size;
  transfer.problem = absl::StrCat("the header is larger than ", transfer.options.header_bytes_max, " bytes");
  return 0;
}

size_t ReceiveBody(char* data, size_t, size_t size, void* to) {
  auto& transfer = *static_cast<Transfer*>(to);
  if (size <= transfer.options.body_bytes_max - transfer.body.size()) {
    transfer.body.append(data, size);
    return size;
  }
  transfer.problem = absl::StrCat("the body is larger than ", transfer.options.body_bytes_max, " bytes");
  return 0;
}

std::string TextOf(const sockaddr& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.sa_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof(text));
  } else if (address.sa_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text, sizeof(text));
  }
  return text;
}

curl_socket_t OpenSocket(void* to, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(to);
  const absl::Status status = transfer.options.check_address(TextOf(address->addr));
  if (!status.ok()) {
    transfer.refused = status;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

absl::Status CheckHeader(absl::string_view name, absl::string_view value) {
  const auto is_control = [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); };
  if (!name.empty() && !absl::StrContains(name, ':') && std::none_of(name.begin(), name.end(), is_control) &&
      std::none_of(value.begin(), value.end(), is_control)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("a header of the request contains a character that is not allowed");
}

absl::StatusOr<CurlList> HeadersOf(const HttpRequest& request, bool with_credentials) {
  CurlList list;
  const auto add = [&list](const std::string& line) -> absl::Status {
    curl_slist* const longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) return absl::UnavailableError("libcurl is out of memory");
    // It is the head, which changes only when the list begins.
    if (list == nullptr) list.reset(longer);
    return absl::OkStatus();
  };
  bool has_content_type = false;
  for (const auto& [name, value] : request.headers) {
    RETURN_IF_ERROR(CheckHeader(name, value));
    if (absl::EqualsIgnoreCase(name, "Authorization") && !with_credentials) continue;
    has_content_type |= absl::EqualsIgnoreCase(name, "Content-Type");
    // libcurl sends a header without a value only if a semicolon ends its name.
    RETURN_IF_ERROR(add(value.empty() ? absl::StrCat(name, ";") : absl::StrCat(name, ": ", value)));
  }
  if (!request.body.empty()) {
    // "Expect: 100-continue" costs a round trip.
    RETURN_IF_ERROR(add("Expect:"));
    if (!has_content_type) RETURN_IF_ERROR(add("Content-Type:"));
  }
  return list;
}

// Scheme, host and port; nullopt if the URL is not http or https.
std::optional<std::string> OriginOf(const std::string& url) {
  const CurlUrl parsed(curl_url());
  if (parsed == nullptr || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return std::nullopt;
  std::string origin;
  for (const CURLUPart part : {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT}) {
    char* text = nullptr;
    if (curl_url_get(parsed.get(), part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return std::nullopt;
    absl::StrAppend(&origin, text, " ");
    curl_free(text);
  }
  absl::AsciiStrToLower(&origin);
  if (!absl::StartsWith(origin, "http ") && !absl::StartsWith(origin, "https ")) return std::nullopt;
  return origin;
}

long Milliseconds(absl::Duration duration) {
  return static_cast<long>(std::max<int64_t>(1, absl::ToInt64Milliseconds(duration)));
}

class CurlHttpClient final : public HttpClient {
 public:
  explicit CurlHttpClient(HttpClientOptions options) : options_(std::move(options)) {}

  absl::StatusOr<HttpResponse> Send(const HttpRequest& request) override;

 private:
  struct Answer {
    HttpResponse response;
    // Where a redirect leads; empty if the response is none.
    std::string redirect;
  };

  void SetOptions(const HttpRequest& request, const std::string& url, bool with_credentials, Transfer* transfer,
                  CURL* curl) const;
  absl::StatusOr<Answer> SendOnce(const HttpRequest& request, const std::string& url, bool with_credentials,
                                  absl::Duration timeout) const;

  const HttpClientOptions options_;
};

void CurlHttpClient::SetOptions(const HttpRequest& request, const std::string& url, bool with_credentials,
                                Transfer* transfer, CURL* curl) const {
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  if (!options_.use_proxy) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!options_.ca_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, options_.ca_file.c_str());
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
  }
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, options_.user_agent.c_str());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, Milliseconds(options_.connect_timeout));
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, ReceiveHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ReceiveBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
  if (options_.check_address) {
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, OpenSocket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, transfer);
  }
  if (with_credentials && !request.username.empty()) {
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(curl, CURLOPT_USERNAME, request.username.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, request.password.c_str());
  }
  if (!request.body.empty()) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.c_str());
  }
  if (request.method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

absl::StatusOr<CurlHttpClient::Answer> CurlHttpClient::SendOnce(const HttpRequest& request, const std::string& url,
                                                                bool with_credentials, absl::Duration timeout) const {
  const Curl curl(curl_easy_init());
  if (curl == nullptr) return absl::UnavailableError("libcurl cannot be initialised");
  ASSIGN_OR_RETURN(const CurlList headers, HeadersOf(request, with_credentials));
  Transfer transfer{.options = options_};
  char error[CURL_ERROR_SIZE] = "";
  SetOptions(request, url, with_credentials, &transfer, curl.get());
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, Milliseconds(timeout));
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, error);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) {
    if (!transfer.refused.ok()) return transfer.refused;
    if (transfer.problem.empty()) transfer.problem = error[0] != '\0' ? error : curl_easy_strerror(code);
    return absl::UnavailableError(
        absl::StrCat("no answer from ", url.substr(0, url.find('?')), ": ", transfer.problem));
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  const char* redirect = nullptr;
  curl_easy_getinfo(curl.get(), CURLINFO_REDIRECT_URL, &redirect);
  return Answer{.response = {.status = static_cast<int>(status), .body = std::move(transfer.body)},
                .redirect = redirect == nullptr ? "" : redirect};
}

absl::StatusOr<HttpResponse> CurlHttpClient::Send(const HttpRequest& request) {
  const std::optional<std::string> first_origin = OriginOf(request.url);
  const bool redirectable = request.method == "GET" || request.method == "HEAD";
  const auto give_up = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(options_.timeout);
  std::string url = request.url;
  for (int redirects = 0;; ++redirects) {
    const std::optional<std::string> origin = OriginOf(url);
    if (!origin.has_value()) {
      if (redirects == 0) return absl::InvalidArgumentError("the URL does not begin with http:// or https://");
      return absl::UnavailableError("the server redirects to a URL that does not begin with http:// or https://");
    }
    if (options_.check_url) RETURN_IF_ERROR(options_.check_url(url));
    const auto left = absl::FromChrono(give_up - std::chrono::steady_clock::now());
    ASSIGN_OR_RETURN(Answer answer, SendOnce(request, url, origin == first_origin, left));
    if (answer.redirect.empty() || !redirectable || redirects >= options_.redirects_max) {
      return std::move(answer.response);
    }
    url = std::move(answer.redirect);
  }
}

}  // namespace

std::unique_ptr<HttpClient> HttpClient::Create(HttpClientOptions options) {
  // Never undone: other clients may be in use until the process ends.
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)initialised;
  return std::make_unique<CurlHttpClient>(std::move(options));
}

}  // namespace entrepot::outbound
