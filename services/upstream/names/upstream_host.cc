#include "services/upstream/names/upstream_host.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "services/core/host_name.h"
#include "services/core/ip_network.h"
#include "services/core/text/host_and_port.h"

namespace entrepot::upstream {
namespace {

constexpr uint32_t kHttpsPort = 443;

std::optional<uint32_t> ParsePort(absl::string_view digits) {
  const auto is_digit = [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); };
  uint32_t port = 0;
  if (!std::all_of(digits.begin(), digits.end(), is_digit) || !absl::SimpleAtoi(digits, &port)) return std::nullopt;
  if (port < 1 || port > 65535) return std::nullopt;
  return port;
}

std::optional<std::string> FoldNameOrAddress(absl::string_view host) {
  if (const std::optional<IpAddress> address = IpAddress::Parse(host); address.has_value()) return address->ToString();
  host = absl::StripSuffix(host, ".");
  if (!IsHost(host)) return std::nullopt;
  return absl::AsciiStrToLower(host);
}

}  // namespace

std::optional<UpstreamHost> ParseUpstreamHost(absl::string_view text) {
  absl::string_view host = text;
  absl::string_view port;  // With the colon before it.
  if (const size_t bracket = text.find(']'); absl::StartsWith(text, "[") && bracket != absl::string_view::npos) {
    host = text.substr(1, bracket - 1);
    port = text.substr(bracket + 1);
    if (!absl::StrContains(host, ':')) return std::nullopt;
  } else if (!IpAddress::Parse(text).has_value()) {
    host = text.substr(0, text.find(':'));
    port = text.substr(host.size());
  }
  const std::optional<std::string> folded = FoldNameOrAddress(host);
  if (!folded.has_value()) return std::nullopt;
  if (port.empty()) return UpstreamHost{.host = *folded};
  if (!absl::ConsumePrefix(&port, ":")) return std::nullopt;
  const std::optional<uint32_t> number = ParsePort(port);
  if (!number.has_value()) return std::nullopt;
  return UpstreamHost{.host = *folded, .port = *number};
}

std::optional<std::string> FoldHost(absl::string_view text) {
  const std::optional<UpstreamHost> parsed = ParseUpstreamHost(text);
  if (!parsed.has_value()) return std::nullopt;
  return parsed->port == 0 || parsed->port == kHttpsPort ? parsed->host : HostAndPort(parsed->host, parsed->port);
}

}  // namespace entrepot::upstream
