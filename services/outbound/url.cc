#include "services/outbound/url.h"

#include <curl/curl.h>

#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/core/host_name.h"
#include "services/status/status_macros.h"

namespace entrepot::outbound {
namespace {

using Handle = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

// Empty if the URL does not have the part.
std::string Part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return "";
  std::string copy(text);
  curl_free(text);
  return copy;
}

// A URL that the handle has already is the base of a relative one.
absl::Status Set(CURLU* url, const std::string& text, unsigned flags) {
  const CURLUcode code = curl_url_set(url, CURLUPART_URL, text.c_str(), flags);
  if (code == CURLUE_OK && text.find('\0') == std::string::npos) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("not a URL: ", curl_url_strerror(code)));
}

}  // namespace

bool Url::IsLoopback() const {
  // curl_url writes numeric hosts as four decimal numbers.
  return IsLoopbackHost(absl::StripSuffix(absl::StripPrefix(host, "["), "]"));
}

std::string Url::Origin() const {
  const absl::string_view number = !port.empty() ? absl::string_view(port) : scheme == "http" ? "80" : "443";
  return absl::StrCat(scheme, "://", host, ":", number);
}

absl::StatusOr<Url> ParseUrl(const std::string& text) {
  const Handle handle(curl_url(), curl_url_cleanup);
  RETURN_IF_ERROR(Set(handle.get(), text, 0));
  Url url{.scheme = absl::AsciiStrToLower(Part(handle.get(), CURLUPART_SCHEME)),
          .host = absl::AsciiStrToLower(Part(handle.get(), CURLUPART_HOST)),
          .port = Part(handle.get(), CURLUPART_PORT),
          .path = Part(handle.get(), CURLUPART_PATH)};
  for (const CURLUPart part : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT}) {
    url.has_more = url.has_more || !Part(handle.get(), part).empty();
  }
  url.has_user = !Part(handle.get(), CURLUPART_USER).empty() || !Part(handle.get(), CURLUPART_PASSWORD).empty();
  if (url.host.empty()) return absl::InvalidArgumentError("not a URL: it has no host");
  return url;
}

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

absl::StatusOr<std::string> ResolveUrl(const std::string& base, const std::string& reference) {
  const Handle handle(curl_url(), curl_url_cleanup);
  // The signature of a path counts its dots.
  RETURN_IF_ERROR(Set(handle.get(), base, CURLU_PATH_AS_IS));
  RETURN_IF_ERROR(Set(handle.get(), reference, CURLU_PATH_AS_IS | CURLU_URLENCODE));
  curl_url_set(handle.get(), CURLUPART_FRAGMENT, nullptr, 0);
  return Part(handle.get(), CURLUPART_URL);
}

}  // namespace entrepot::outbound
