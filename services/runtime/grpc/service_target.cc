#include "services/runtime/grpc/service_target.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/core/text/host_and_port.h"

namespace entrepot::runtime {
namespace {

TargetPart Parse(absl::string_view text) {
  TargetPart part;
  part.text = std::string(text);
  part.is_name = absl::ConsumePrefix(&text, "dns:///");
  const size_t colon = text.rfind(':');
  absl::string_view host = text.substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  part.host = std::string(host);
  uint32_t port = 0;
  if (colon != absl::string_view::npos && absl::SimpleAtoi(text.substr(colon + 1), &port)) {
    part.port = static_cast<uint16_t>(port);
  }
  return part;
}

// Empty if the address is neither IPv4 nor IPv6.
std::string ToText(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  if (address.sa_family == AF_INET) bytes = &reinterpret_cast<const sockaddr_in&>(address).sin_addr;
  if (address.sa_family == AF_INET6) bytes = &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  if (bytes == nullptr || ::inet_ntop(address.sa_family, bytes, text.data(), text.size()) == nullptr) return "";
  return text.data();
}

}  // namespace

std::vector<TargetPart> SplitTarget(absl::string_view target) {
  std::vector<TargetPart> parts;
  for (const absl::string_view text : absl::StrSplit(target, ',')) parts.push_back(Parse(text));
  return parts;
}

absl::StatusOr<std::vector<std::string>> ResolveBySystem(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0) return absl::UnavailableError(absl::StrCat("cannot resolve ", host, ": ", ::gai_strerror(error)));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, &::freeaddrinfo);
  std::set<std::string> addresses;
  for (const addrinfo* entry = list.get(); entry != nullptr; entry = entry->ai_next) {
    if (std::string text = ToText(*entry->ai_addr); !text.empty()) addresses.insert(std::move(text));
  }
  if (addresses.empty()) return absl::UnavailableError(absl::StrCat("cannot resolve ", host, ": it has no address"));
  return std::vector<std::string>(addresses.begin(), addresses.end());
}

std::string AddressTarget(absl::string_view ip_address, uint16_t port) {
  const bool is_ipv6 = ip_address.find(':') != absl::string_view::npos;
  return absl::StrCat(is_ipv6 ? "ipv6:" : "ipv4:", HostAndPort(ip_address, port));
}

}  // namespace entrepot::runtime
