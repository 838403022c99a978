#include "services/core/client_network.h"

#include <arpa/inet.h>

#include <array>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace entrepot {
namespace {

std::string Ipv4Text(const void* bytes) {
  std::array<char, INET_ADDRSTRLEN> text;
  return inet_ntop(AF_INET, bytes, text.data(), text.size());
}

}  // namespace

std::string ClientNetwork(absl::string_view address) {
  std::string text(address);
  in6_addr ipv6;
  if (inet_pton(AF_INET6, text.c_str(), &ipv6) != 1) return text;
  if (IN6_IS_ADDR_V4MAPPED(&ipv6)) return Ipv4Text(&ipv6.s6_addr[12]);
  std::memset(&ipv6.s6_addr[8], 0, 8);
  std::array<char, INET6_ADDRSTRLEN> prefix;
  return absl::StrCat(inet_ntop(AF_INET6, &ipv6, prefix.data(), prefix.size()), "/64");
}

}  // namespace entrepot
