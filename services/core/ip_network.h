#ifndef ENTREPOT_SERVICES_CORE_IP_NETWORK_H_
#define ENTREPOT_SERVICES_CORE_IP_NETWORK_H_

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot {

// An IPv4 or IPv6 address. An IPv4 address that is mapped into IPv6 (::ffff:192.0.2.1) is that IPv4 address.
class IpAddress {
 public:
  using Bytes = std::array<uint8_t, 16>;

  // "192.0.2.1" or "2001:db8::1", without brackets, port or zone; nullopt for anything else.
  static std::optional<IpAddress> Parse(absl::string_view text);
  // nullopt for a socket of neither IPv4 nor IPv6.
  static std::optional<IpAddress> Of(const sockaddr_storage& socket_address);
  // In the order of the network; an IPv4 address is mapped.
  static IpAddress FromBytes(const Bytes& bytes) { return IpAddress(bytes); }

  bool is_ipv4() const;
  // In 127.0.0.0/8, or ::1.
  bool IsLoopback() const;
  // An IPv4 address is mapped.
  const Bytes& bytes() const { return bytes_; }
  // Each address has one text: "192.0.2.1", "2001:db8::1".
  std::string ToString() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;

 private:
  explicit IpAddress(const Bytes& bytes) : bytes_(bytes) {}

  Bytes bytes_;
};

// The addresses that begin with the same bits.
class IpNetwork {
 public:
  // "192.0.2.0/24", "2001:db8::/32"; an address alone is a network of one address. kInvalidArgument for anything else,
  // and if an address has bits behind the prefix, which is often a mistake.
  static absl::StatusOr<IpNetwork> Parse(absl::string_view text);

  // An IPv4 address is in IPv4 networks only.
  bool Contains(const IpAddress& address) const;
  // All addresses of IPv4 or IPv6.
  bool IsEverything() const;

 private:
  IpNetwork(const IpAddress& first, int prefix_bits) : first_(first), prefix_bits_(prefix_bits) {}

  IpAddress first_;
  int prefix_bits_;  // Of the 128 bits; those of an IPv4 network include the 96 bits of the mapping.
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_IP_NETWORK_H_
