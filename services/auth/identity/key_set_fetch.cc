#include "services/auth/identity/key_set_fetch.h"

#include <curl/curl.h>

#include <cstddef>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/policy/key_set_url.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {
namespace {

constexpr size_t kBodyBytesMax = 256 * 1024;
constexpr size_t kHeadBytesMax = 64 * 1024;
constexpr long kConnectMilliseconds = 3000;
constexpr long kAnswerMilliseconds = 5000;

struct CurlDeleter {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
using Curl = std::unique_ptr<CURL, CurlDeleter>;

struct Answer {
  size_t head_bytes = 0;
  std::string body;
};

// Any other number than `size` ends the transfer.
size_t ReceiveHead(char*, size_t, size_t size, void* to) {
  auto* const answer = static_cast<Answer*>(to);
  answer->head_bytes += size;
  return answer->head_bytes <= kHeadBytesMax ? size : 0;
}

size_t ReceiveBody(char* data, size_t, size_t size, void* to) {
  auto* const answer = static_cast<Answer*>(to);
  if (answer->body.size() + size > kBodyBytesMax) return 0;
  answer->body.append(data, size);
  return size;
}

Curl NewCurl() {
  static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
  return once == CURLE_OK ? Curl(curl_easy_init()) : nullptr;
}

void SetOptions(CURL* curl, const std::string& url, const std::string& ca_file, Answer* answer) {
  const bool plain = absl::StartsWith(url, "http:");
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
  // No proxy is asked for what this machine serves.
  if (plain) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!ca_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file.c_str());
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
  }
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectMilliseconds);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, kAnswerMilliseconds);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "entrepot");
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, ReceiveHead);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, answer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ReceiveBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
}

}  // namespace

absl::StatusOr<std::string> FetchKeySet(const std::string& url, const std::string& ca_file) {
  RETURN_IF_ERROR(policy::CheckKeySetUrl(url));
  const Curl curl = NewCurl();
  if (curl == nullptr) return absl::UnavailableError("libcurl cannot be used");
  Answer answer;
  char error[CURL_ERROR_SIZE] = "";
  SetOptions(curl.get(), url, ca_file, &answer);
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, error);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) {
    return absl::UnavailableError(
        absl::StrCat("no answer from ", url, ": ", error[0] != '\0' ? error : curl_easy_strerror(code)));
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) return absl::UnavailableError(absl::StrCat(url, " answers ", status, ", not 200"));
  return std::move(answer.body);
}

}  // namespace entrepot::auth
