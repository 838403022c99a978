#include "services/core/ip_network.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/status/quoted_input.h"

namespace entrepot {
namespace {

constexpr size_t kMappingBytes = 12;
constexpr IpAddress::Bytes kMapping = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

IpAddress::Bytes FirstBits(const IpAddress::Bytes& bytes, int bits) {
  IpAddress::Bytes first{};
  std::copy_n(bytes.begin(), bits / 8, first.begin());
  if (bits % 8 != 0) first[bits / 8] = bytes[bits / 8] & static_cast<uint8_t>(0xff00 >> (bits % 8));
  return first;
}

// Digits without a leading zero.
std::optional<int> ParsePrefixBits(absl::string_view text, int max) {
  if (text.empty() || text.size() > 3 || !std::all_of(text.begin(), text.end(), absl::ascii_isdigit)) return {};
  if (text.size() > 1 && text.front() == '0') return {};
  int bits = 0;
  if (!absl::SimpleAtoi(text, &bits) || bits > max) return {};
  return bits;
}

}  // namespace

std::optional<IpAddress> IpAddress::Parse(absl::string_view text) {
  // inet_pton() reads a C string: a zero byte must not end the text early.
  char copy[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof(copy) || text.find('\0') != absl::string_view::npos) return std::nullopt;
  *std::copy(text.begin(), text.end(), copy) = '\0';
  Bytes bytes = kMapping;
  if (::inet_pton(AF_INET, copy, &bytes[kMappingBytes]) == 1 || ::inet_pton(AF_INET6, copy, bytes.data()) == 1) {
    return IpAddress(bytes);
  }
  return std::nullopt;
}

std::optional<IpAddress> IpAddress::Of(const sockaddr_storage& socket_address) {
  Bytes bytes = kMapping;
  if (socket_address.ss_family == AF_INET) {
    std::memcpy(&bytes[kMappingBytes], &reinterpret_cast<const sockaddr_in&>(socket_address).sin_addr, sizeof(in_addr));
  } else if (socket_address.ss_family == AF_INET6) {
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(socket_address).sin6_addr, sizeof(in6_addr));
  } else {
    return std::nullopt;
  }
  return IpAddress(bytes);
}

bool IpAddress::is_ipv4() const {
  return std::equal(kMapping.begin(), kMapping.begin() + kMappingBytes, bytes_.begin());
}

bool IpAddress::IsLoopback() const {
  constexpr Bytes kLoopback = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return is_ipv4() ? bytes_[kMappingBytes] == 127 : bytes_ == kLoopback;
}

std::string IpAddress::ToString() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (is_ipv4()) {
    ::inet_ntop(AF_INET, &bytes_[kMappingBytes], text, sizeof(text));
  } else {
    ::inet_ntop(AF_INET6, bytes_.data(), text, sizeof(text));
  }
  return text;
}

absl::StatusOr<IpNetwork> IpNetwork::Parse(absl::string_view text) {
  const size_t slash = std::min(text.find('/'), text.size());
  const std::optional<IpAddress> address = IpAddress::Parse(text.substr(0, slash));
  const auto invalid = [&] {
    return absl::InvalidArgumentError(
        absl::StrCat("must be like \"192.0.2.0/24\", \"2001:db8::/32\" or an IP address, not ", QuotedInput(text)));
  };
  if (!address.has_value()) return invalid();
  const int bits_max = address->is_ipv4() ? 32 : 128;
  int bits = bits_max;
  if (slash < text.size()) {
    const std::optional<int> parsed = ParsePrefixBits(text.substr(slash + 1), bits_max);
    if (!parsed.has_value()) return invalid();
    bits = *parsed;
  }
  const int prefix_bits = 128 - bits_max + bits;
  const IpAddress first = IpAddress::FromBytes(FirstBits(address->bytes(), prefix_bits));
  if (first != *address) {
    return absl::InvalidArgumentError(absl::StrCat(QuotedInput(text), " has bits behind its prefix; the network is \"",
                                                   first.ToString(), "/", bits, "\""));
  }
  return IpNetwork(first, prefix_bits);
}

bool IpNetwork::Contains(const IpAddress& address) const {
  return address.is_ipv4() == first_.is_ipv4() && FirstBits(address.bytes(), prefix_bits_) == first_.bytes();
}

bool IpNetwork::IsEverything() const { return prefix_bits_ == (first_.is_ipv4() ? 96 : 0); }

}  // namespace entrepot
