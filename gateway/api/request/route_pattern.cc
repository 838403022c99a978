#include "gateway/api/request/route_pattern.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace entrepot::gateway::api {

std::optional<RoutePattern::Values> RoutePattern::Match(absl::string_view path) const {
  Values values;
  if (!absl::ConsumePrefix(&path, prefix_)) return std::nullopt;
  if (has_argument()) {
    const size_t begin = path.rfind('/') + 1;  // 0 without a slash.
    values.argument = path.substr(begin);
    if (values.argument.empty()) return std::nullopt;
    path = path.substr(0, begin);
  }
  if (has_repository_) {
    if (!absl::ConsumeSuffix(&path, suffix_) || path.empty() || absl::EndsWith(path, "/")) return std::nullopt;
    values.repository = path;
    return values;
  }
  if (!path.empty()) return std::nullopt;
  return values;
}

std::string RoutePattern::Path(absl::string_view repository, absl::string_view argument) const {
  return absl::StrCat(prefix_, has_repository_ ? repository : "", suffix_, has_argument() ? argument : "");
}

}  // namespace entrepot::gateway::api
