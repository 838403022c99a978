#include "services/policy/key_set_url.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/status/quoted_input.h"

namespace entrepot::policy {
namespace {

constexpr size_t kUrlBytesMax = 2048;

// Some parsers read `\` as a slash, and clients do not send what follows `#`.
bool IsUrlByte(char c) {
  return absl::ascii_isgraph(static_cast<unsigned char>(c)) && c != '\\' && c != '"' && c != '#';
}

// Accepts only the dotted decimal form that all parsers read alike.
bool IsLoopbackIpv4(absl::string_view host) {
  const std::vector<absl::string_view> parts = absl::StrSplit(host, '.');
  if (parts.size() != 4 || parts.front() != "127") return false;
  return std::all_of(parts.begin(), parts.end(), [](absl::string_view part) {
    int number = 0;
    return absl::SimpleAtoi(part, &number) && number <= 255 && absl::StrCat(number) == part;
  });
}

absl::string_view HostOf(absl::string_view authority) {
  if (!authority.empty() && authority.front() == '[') return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

absl::Status Refuse(absl::string_view url, absl::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat(QuotedInput(url), " ", problem));
}

}  // namespace

absl::Status CheckKeySetUrl(absl::string_view url) {
  if (url.size() > kUrlBytesMax) return Refuse(url, absl::StrCat("is longer than ", kUrlBytesMax, " bytes"));
  if (!std::all_of(url.begin(), url.end(), IsUrlByte))
    return Refuse(url, "contains a byte that is not allowed in a URL");
  absl::string_view rest = url;
  const bool secure = absl::ConsumePrefix(&rest, "https://");
  if (!secure && !absl::ConsumePrefix(&rest, "http://")) return Refuse(url, "does not begin with https://");

  const absl::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  if (authority.find('@') != absl::string_view::npos) return Refuse(url, "contains a user name");
  const absl::string_view host = HostOf(authority);
  if (host.empty()) return Refuse(url, "names no host");
  if (secure || host == "localhost" || host == "[::1]" || IsLoopbackIpv4(host)) return absl::OkStatus();
  return Refuse(url, "must begin with https:// unless its host is a loopback address");
}

}  // namespace entrepot::policy
