#include "services/core/host_name.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "services/core/ip_network.h"

namespace entrepot {
namespace {

constexpr size_t kHostBytesMax = 253;

}  // namespace

absl::string_view HostOf(absl::string_view authority) {
  if (absl::ConsumePrefix(&authority, "[")) return authority.substr(0, authority.find(']'));
  return absl::StripSuffix(authority.substr(0, authority.find(':')), ".");
}

bool IsHost(absl::string_view text) {
  if (text.empty() || text.size() > kHostBytesMax || text.back() == '.') return false;
  if (IpAddress::Parse(text).has_value()) return true;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_'; });
}

bool IsSameHost(absl::string_view a, absl::string_view b) {
  if (absl::EqualsIgnoreCase(a, b)) return true;
  // Only addresses of IPv6 have more than one text.
  if (!absl::StrContains(a, ':') && !absl::StrContains(b, ':')) return false;
  const std::optional<IpAddress> address = IpAddress::Parse(a);
  return address.has_value() && address == IpAddress::Parse(b);
}

bool IsLoopbackHost(absl::string_view host) {
  if (absl::EqualsIgnoreCase(host, "localhost") || absl::EndsWithIgnoreCase(host, ".localhost")) return true;
  const std::optional<IpAddress> address = IpAddress::Parse(host);
  return address.has_value() && address->IsLoopback();
}

}  // namespace entrepot
