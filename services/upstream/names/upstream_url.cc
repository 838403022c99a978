#include "services/upstream/names/upstream_url.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/core/ip_network.h"
#include "services/core/text/host_and_port.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"
#include "services/upstream/names/upstream_host.h"

namespace entrepot::upstream {
namespace {

constexpr size_t kUrlBytesMax = 2048;

uint32_t PortOfScheme(bool https) { return https ? 443 : 80; }

bool ConsumeScheme(absl::string_view scheme, absl::string_view* text) {
  if (!absl::StartsWithIgnoreCase(*text, scheme)) return false;
  text->remove_prefix(scheme.size());
  return true;
}

bool IsPathByte(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("/-._~", c); }

// Clients and servers resolve "." and ".." in different ways.
bool IsPlainSegment(absl::string_view segment) { return !segment.empty() && segment != "." && segment != ".."; }

absl::Status Refuse(absl::string_view url, absl::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat(QuotedInput(url), " ", problem));
}

// `path` is empty or begins with "/".
absl::Status CheckPath(absl::string_view url, absl::string_view path) {
  if (path.empty()) return absl::OkStatus();
  if (!std::all_of(path.begin(), path.end(), IsPathByte)) {
    return Refuse(url, "has other characters in its path than letters, digits, '/', '-', '.', '_' and '~'");
  }
  for (const absl::string_view segment : absl::StrSplit(path.substr(1), '/')) {
    if (!IsPlainSegment(segment)) return Refuse(url, "has an empty segment, \".\" or \"..\" in its path");
  }
  if (path == "/v2" || absl::EndsWith(path, "/v2")) return Refuse(url, "must end before /v2, which every request adds");
  return absl::OkStatus();
}

}  // namespace

std::string UpstreamUrl::ToString() const {
  const bool is_ipv6 = absl::StrContains(host, ':');
  const std::string authority =
      port != PortOfScheme(https) ? HostAndPort(host, port) : (is_ipv6 ? absl::StrCat("[", host, "]") : host);
  return absl::StrCat(https ? "https://" : "http://", authority, path);
}

absl::StatusOr<UpstreamUrl> ParseUpstreamUrl(absl::string_view text) {
  if (text.size() > kUrlBytesMax) return Refuse(text, absl::StrCat("is longer than ", kUrlBytesMax, " bytes"));
  UpstreamUrl url;
  absl::string_view rest = text;
  url.https = ConsumeScheme("https://", &rest);
  if (!url.https && !ConsumeScheme("http://", &rest)) return Refuse(text, "must begin with https:// or http://");
  // The text is not shown: it may contain a password.
  if (absl::StrContains(rest, '@')) return absl::InvalidArgumentError("must not contain a user: use credentials");
  if (absl::StrContains(rest, '?')) return Refuse(text, "contains a query");
  if (absl::StrContains(rest, '#')) return Refuse(text, "contains a fragment");

  const absl::string_view authority = rest.substr(0, rest.find('/'));
  const std::optional<UpstreamHost> host = ParseUpstreamHost(authority);
  const bool lacks_brackets = absl::StrContains(authority, ':') && IpAddress::Parse(authority).has_value();
  if (!host.has_value() || lacks_brackets) {
    return Refuse(text, "must have a host after the scheme, and an IPv6 address must be in brackets");
  }
  url.host = host->host;
  url.port = host->port != 0 ? host->port : PortOfScheme(url.https);

  const absl::string_view path = absl::StripSuffix(rest.substr(authority.size()), "/");
  RETURN_IF_ERROR(CheckPath(text, path));
  url.path = std::string(path);
  return url;
}

}  // namespace entrepot::upstream
