#include "services/upstream/client/next_page.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/outbound/url.h"
#include "services/status/status_macros.h"

namespace entrepot::upstream {
namespace {

// Whether the parameters of a link have rel=next, in any form of quotes, spaces and case.
bool IsNext(absl::string_view parameters) {
  std::string text = absl::AsciiStrToLower(parameters);
  text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == '"' || c == ' ' || c == '\t'; }),
             text.end());
  return absl::StrContains(absl::StrCat(text, ";"), ";rel=next;") || absl::StrContains(text, ";rel=next,");
}

// `<target>; rel="next"`, perhaps among others.
std::optional<std::string> NextTarget(absl::string_view field) {
  size_t begin = 0;
  while ((begin = field.find('<', begin)) != absl::string_view::npos) {
    const size_t end = field.find('>', begin);
    if (end == absl::string_view::npos) return std::nullopt;
    const absl::string_view parameters = field.substr(end + 1, field.find('<', end) - end - 1);
    if (IsNext(parameters)) return std::string(field.substr(begin + 1, end - begin - 1));
    begin = end;
  }
  return std::nullopt;
}

// What follows the host: "/v2/…?n=5".
absl::string_view PathAndQuery(absl::string_view url) {
  const size_t host = url.find("://");
  const size_t path = url.find_first_of("/?", host == absl::string_view::npos ? 0 : host + 3);
  return path == absl::string_view::npos ? "/" : url.substr(path);
}

}  // namespace

absl::StatusOr<std::optional<std::string>> NextPage(const outbound::HopHead& head, const std::string& url) {
  for (const absl::string_view field : head.Fields("link")) {
    const std::optional<std::string> target = NextTarget(field);
    if (!target.has_value()) continue;
    ASSIGN_OR_RETURN(const std::string resolved, outbound::ResolveUrl(url, *target));
    ASSIGN_OR_RETURN(const outbound::Url next, outbound::ParseUrl(resolved));
    ASSIGN_OR_RETURN(const outbound::Url current, outbound::ParseUrl(url));
    if (next.host != current.host) return absl::InvalidArgumentError("the next page is at another host");
    ASSIGN_OR_RETURN(std::string page, outbound::ResolveUrl(url, std::string(PathAndQuery(resolved))));
    return page;
  }
  return std::nullopt;
}

}  // namespace entrepot::upstream
