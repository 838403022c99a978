#include "services/outbound/curl_request.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/status/status_macros.h"

namespace entrepot::outbound {
namespace {

std::string TextOf(const sockaddr& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.sa_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof(text));
  } else if (address.sa_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text, sizeof(text));
  }
  return text;
}

absl::Status CheckHeader(absl::string_view name, absl::string_view value) {
  const auto is_control = [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); };
  if (!name.empty() && !absl::StrContains(name, ':') && std::none_of(name.begin(), name.end(), is_control) &&
      std::none_of(value.begin(), value.end(), is_control)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("a header of the request contains a character that is not allowed");
}

}  // namespace

void InitialiseCurl() {
  // Never undone: other clients may be in use until the process ends.
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)initialised;
}

long CurlMilliseconds(absl::Duration duration) {
  return static_cast<long>(std::max<int64_t>(1, absl::ToInt64Milliseconds(duration)));
}

std::string UrlForMessage(const std::string& url) { return url.substr(0, url.find('?')); }

bool IsNamed(const Headers& headers, absl::string_view name) {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const auto& header) { return absl::EqualsIgnoreCase(header.first, name); });
}

absl::Status HeaderLines::AddLine(const std::string& line) {
  curl_slist* const longer = curl_slist_append(lines_.get(), line.c_str());
  if (longer == nullptr) return absl::UnavailableError("libcurl is out of memory");
  // It is the head, which changes only when the list begins.
  if (lines_ == nullptr) lines_.reset(longer);
  return absl::OkStatus();
}

absl::Status HeaderLines::Add(absl::string_view name, absl::string_view value) {
  RETURN_IF_ERROR(CheckHeader(name, value));
  // libcurl sends a header without a value only if a semicolon ends its name.
  return AddLine(value.empty() ? absl::StrCat(name, ";") : absl::StrCat(name, ": ", value));
}

absl::Status HeaderLines::Omit(absl::string_view name) { return AddLine(absl::StrCat(name, ":")); }

absl::Status HeaderLines::OmitUnnamedOfBody(const Headers& headers) {
  // "Expect: 100-continue" costs a round trip.
  RETURN_IF_ERROR(Omit("Expect"));
  return IsNamed(headers, "Content-Type") ? absl::OkStatus() : Omit("Content-Type");
}

bool AddressCheck::Allows(absl::string_view ip_address) {
  if (!check) return true;
  const absl::Status status = check(ip_address);
  if (!status.ok()) refused = status;
  return status.ok();
}

curl_socket_t AddressCheck::OpenSocket(void* to, curlsocktype, curl_sockaddr* address) {
  if (!static_cast<AddressCheck*>(to)->Allows(TextOf(address->addr))) return CURL_SOCKET_BAD;
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void SetCommonOptions(const std::string& user_agent, absl::Duration connect_timeout, CURL* curl) {
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, user_agent.c_str());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CurlMilliseconds(connect_timeout));
}

void SetMethod(const std::string& method, CURL* curl) {
  if (method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
}

void SetBody(const std::string& body, CURL* curl) {
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.c_str());
}

}  // namespace entrepot::outbound
