#include "services/outbound/http_client.h"

#include <curl/curl.h>

#include <chrono>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/outbound/curl_request.h"
#include "services/outbound/url.h"
#include "services/status/status_macros.h"

namespace entrepot::outbound {
namespace {

// What libcurl's callbacks read and write during one request.
struct Transfer {
  const HttpClientOptions& options;
  AddressCheck address_check = {.check = options.check_address};
  size_t header_bytes = 0;
  std::string body = {};
  std::string problem = {};
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

absl::StatusOr<HeaderLines> HeadersOf(const HttpRequest& request, bool with_credentials) {
  HeaderLines lines;
  for (const auto& [name, value] : request.headers) {
    if (absl::EqualsIgnoreCase(name, "Authorization") && !with_credentials) continue;
    RETURN_IF_ERROR(lines.Add(name, value));
  }
  if (!request.body.empty()) RETURN_IF_ERROR(lines.OmitUnnamedOfBody(request.headers));
  return lines;
}

// nullopt if the URL is not http or https.
std::optional<std::string> OriginOf(const std::string& text) {
  const absl::StatusOr<Url> url = ParseUrl(text);
  if (!url.ok() || (url->scheme != "http" && url->scheme != "https")) return std::nullopt;
  return url->Origin();
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
  SetCommonOptions(options_.user_agent, options_.connect_timeout, curl);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  if (!options_.use_proxy) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  if (!options_.ca_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, options_.ca_file.c_str());
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
  }
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, ReceiveHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ReceiveBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
  if (options_.check_address) {
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, AddressCheck::OpenSocket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &transfer->address_check);
  }
  if (with_credentials && !request.username.empty()) {
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(curl, CURLOPT_USERNAME, request.username.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, request.password.c_str());
  }
  if (!request.body.empty()) SetBody(request.body, curl);
  SetMethod(request.method, curl);
}

absl::StatusOr<CurlHttpClient::Answer> CurlHttpClient::SendOnce(const HttpRequest& request, const std::string& url,
                                                                bool with_credentials, absl::Duration timeout) const {
  const Curl curl(curl_easy_init());
  if (curl == nullptr) return absl::UnavailableError("libcurl cannot be initialised");
  ASSIGN_OR_RETURN(const HeaderLines headers, HeadersOf(request, with_credentials));
  Transfer transfer{.options = options_};
  char error[CURL_ERROR_SIZE] = "";
  SetOptions(request, url, with_credentials, &transfer, curl.get());
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, CurlMilliseconds(timeout));
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, error);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) {
    if (!transfer.address_check.refused.ok()) return transfer.address_check.refused;
    if (transfer.problem.empty()) transfer.problem = error[0] != '\0' ? error : curl_easy_strerror(code);
    return absl::UnavailableError(absl::StrCat("no answer from ", UrlForMessage(url), ": ", transfer.problem));
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
  InitialiseCurl();
  return std::make_unique<CurlHttpClient>(std::move(options));
}

}  // namespace entrepot::outbound
