#include "services/ctl/http_client.h"

#include <curl/curl.h>

#include <cstddef>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "services/runtime/version.h"

namespace entrepot::ctl {
namespace {

// Larger answers are refused: the registry's own are far smaller.
constexpr size_t kAnswerBytesMax = 64 * 1024 * 1024;
constexpr long kConnectSeconds = 10;
// Deleting a large repository is one long transaction.
constexpr long kAnswerSeconds = 120;

struct CurlDeleter {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Curl = std::unique_ptr<CURL, CurlDeleter>;
using Fields = std::unique_ptr<curl_slist, CurlDeleter>;

void AddField(const std::string& field, Fields* fields) {
  curl_slist* const shorter = fields->release();
  curl_slist* const longer = curl_slist_append(shorter, field.c_str());
  fields->reset(longer == nullptr ? shorter : longer);
}

size_t Receive(char* data, size_t, size_t size, void* to) {
  auto* body = static_cast<std::string*>(to);
  if (body->size() + size > kAnswerBytesMax) return 0;
  body->append(data, size);
  return size;
}

void SetCredentials(const HttpRequest& request, CURL* curl, Fields* fields) {
  if (!request.username.empty()) {
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(curl, CURLOPT_USERNAME, request.username.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, request.password.c_str());
  }
  if (!request.token.empty()) AddField(absl::StrCat("Authorization: Bearer ", request.token), fields);
}

void SetBody(const HttpRequest& request, CURL* curl, Fields* fields) {
  if (request.body.empty()) return;
  AddField("Content-Type: application/json", fields);
  // No "Expect: 100-continue", which costs a round trip.
  AddField("Expect:", fields);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.c_str());
}

}  // namespace

CurlHttpClient::CurlHttpClient() {
  static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)once;
}

absl::StatusOr<HttpAnswer> CurlHttpClient::Send(const HttpRequest& request) {
  const Curl curl(curl_easy_init());
  if (curl == nullptr) return absl::UnavailableError("libcurl cannot be initialised");
  Fields fields;
  HttpAnswer answer;
  char error[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, error);
  curl_easy_setopt(curl.get(), CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, kAnswerSeconds);
  curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, absl::StrCat("entrepotctl/", runtime::kVersion).c_str());
  if (!request.ca_file.empty()) curl_easy_setopt(curl.get(), CURLOPT_CAINFO, request.ca_file.c_str());
  SetCredentials(request, curl.get(), &fields);
  SetBody(request, curl.get(), &fields);
  curl_easy_setopt(curl.get(), CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, fields.get());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, Receive);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) {
    return absl::UnavailableError(absl::StrCat("no answer from ", request.url.substr(0, request.url.find('?')), ": ",
                                               error[0] != '\0' ? error : curl_easy_strerror(code)));
  }
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

std::string PercentEncoded(const std::string& text, bool keep_slashes) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = absl::ascii_isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~';
    if (plain || (keep_slashes && c == '/')) {
      encoded += c;
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X", byte);
    }
  }
  return encoded;
}

}  // namespace entrepot::ctl
