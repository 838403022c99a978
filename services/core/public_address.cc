#include "services/core/public_address.h"

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace entrepot {
namespace {

struct Range {
  absl::string_view network;
  absl::string_view use;
};

// IANA's registries of special-purpose addresses, and the metadata servers of clouds outside of these. More narrow
// ranges come first, for the message.
constexpr Range kNotPublicIpv4[] = {
    {"169.254.169.254/32", "cloud metadata"},
    {"168.63.129.16/32", "cloud metadata"},
    {"100.100.100.200/32", "cloud metadata"},
    {"192.0.0.192/32", "cloud metadata"},
    {"0.0.0.0/8", "this network"},
    {"10.0.0.0/8", "private"},
    {"100.64.0.0/10", "carrier-grade NAT"},
    {"127.0.0.0/8", "loopback"},
    {"169.254.0.0/16", "link-local"},
    {"172.16.0.0/12", "private"},
    {"192.0.0.0/24", "protocol assignments"},
    {"192.0.2.0/24", "documentation"},
    {"192.88.99.0/24", "6to4 relays"},
    {"192.168.0.0/16", "private"},
    {"198.18.0.0/15", "benchmarks"},
    {"198.51.100.0/24", "documentation"},
    {"203.0.113.0/24", "documentation"},
    {"224.0.0.0/4", "multicast"},
    {"255.255.255.255/32", "broadcast"},
    {"240.0.0.0/4", "reserved"},
};
constexpr Range kNotPublicIpv6[] = {
    {"fd00:ec2::254/128", "cloud metadata"},
    {"::/128", "unspecified"},
    {"::1/128", "loopback"},
    {"::/96", "IPv4-compatible"},
    {"64:ff9b:1::/48", "local NAT64"},
    {"100::/64", "discarded"},
    {"2001::/23", "protocol assignments"},
    {"2001:db8::/32", "documentation"},
    {"3fff::/20", "documentation"},
    {"5f00::/16", "segment routing"},
    {"fc00::/7", "private"},
    {"fe80::/10", "link-local"},
    {"fec0::/10", "site-local"},
    {"ff00::/8", "multicast"},
};
// All of IPv6 that is assigned to the internet so far.
constexpr absl::string_view kGlobalIpv6 = "2000::/3";
constexpr absl::string_view kNat64 = "64:ff9b::/96";
constexpr absl::string_view k6to4 = "2002::/16";

class Rules {
 public:
  Rules() {
    for (const Range& range : kNotPublicIpv4) ranges_.emplace_back(Network(range.network), range);
    for (const Range& range : kNotPublicIpv6) ranges_.emplace_back(Network(range.network), range);
  }

  // The range that `address` is in; nullopt if it is public.
  std::optional<Range> NotPublic(const IpAddress& address) const {
    for (const auto& [network, range] : ranges_) {
      if (network.Contains(address)) return range;
    }
    if (address.is_ipv4() || global_ipv6_.Contains(address)) return std::nullopt;
    return Range{"::/0", "not assigned to the internet"};
  }

  // The IPv4 address that an IPv6 address stands for; the address itself if it stands for none.
  IpAddress Unwrap(const IpAddress& address) const {
    if (nat64_.Contains(address)) return Ipv4At(address, 12);
    if (six_to_four_.Contains(address)) return Ipv4At(address, 2);
    return address;
  }

 private:
  static IpNetwork Network(absl::string_view text) { return IpNetwork::Parse(text).value(); }

  static IpAddress Ipv4At(const IpAddress& address, size_t offset) {
    IpAddress::Bytes mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    for (size_t i = 0; i < 4; ++i) mapped[12 + i] = address.bytes()[offset + i];
    return IpAddress::FromBytes(mapped);
  }

  std::vector<std::pair<IpNetwork, Range>> ranges_;
  const IpNetwork global_ipv6_ = Network(kGlobalIpv6);
  const IpNetwork nat64_ = Network(kNat64);
  const IpNetwork six_to_four_ = Network(k6to4);
};

}  // namespace

absl::Status CheckPublicAddress(const IpAddress& address) {
  // Never destroyed: threads may use it until the process ends.
  static const Rules& rules = *new Rules();
  const IpAddress target = rules.Unwrap(address);
  const std::optional<Range> range = rules.NotPublic(target);
  if (!range.has_value()) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat("the address ", address.ToString(),
                   target == address ? "" : absl::StrCat(", which stands for ", target.ToString(), ","),
                   " is not public: it is in ", range->network, " (", range->use, ")"));
}

}  // namespace entrepot
