#include "services/core/client_network.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "services/core/ip_network.h"

namespace entrepot {

std::string ClientNetwork(absl::string_view address) {
  const std::optional<IpAddress> parsed = IpAddress::Parse(address);
  if (!parsed.has_value()) return std::string(address);
  if (parsed->is_ipv4()) return parsed->ToString();
  IpAddress::Bytes prefix = parsed->bytes();
  std::fill(prefix.begin() + 8, prefix.end(), 0);
  return absl::StrCat(IpAddress::FromBytes(prefix).ToString(), "/64");
}

std::string Requester(absl::string_view account, absl::string_view address) {
  if (!account.empty()) return absl::StrCat("account ", account);
  if (!address.empty()) return absl::StrCat("network ", ClientNetwork(address));
  return "";
}

}  // namespace entrepot
