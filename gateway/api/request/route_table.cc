#include "gateway/api/request/route_table.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/core/text/percent_encoding.h"
#include "services/core/text/utf8.h"
#include "services/status/oci_error.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

absl::Status CheckText(absl::string_view path) {
  if (std::any_of(path.begin(), path.end(), [](unsigned char c) { return absl::ascii_iscntrl(c); })) {
    return OciError(OciErrorCode::kNameInvalid, absl::StrCat("control byte in the path ", QuotedInput(path)));
  }
  if (Utf8PrefixLength(path) != path.size()) {
    return OciError(OciErrorCode::kNameInvalid, absl::StrCat("the path is not UTF-8: ", QuotedInput(path)));
  }
  return absl::OkStatus();
}

}  // namespace

const RouteMethod* RouteInfo::Find(absl::string_view method) const {
  const auto found =
      std::find_if(methods.begin(), methods.end(), [&](const RouteMethod& known) { return known.name == method; });
  return found == methods.end() ? nullptr : &*found;
}

absl::StatusOr<Route> ParseRoute(absl::string_view path, std::string* decoded) {
  if (absl::StrContains(path, '%')) {
    std::optional<std::string> text = PercentDecode(path);
    if (!text.has_value()) {
      return OciError(OciErrorCode::kNameInvalid,
                      absl::StrCat("invalid percent-encoding in the path ", QuotedInput(path)));
    }
    *decoded = *std::move(text);
    path = *decoded;
  }
  RETURN_IF_ERROR(CheckText(path));
  if (path == "/v2") path = "/v2/";
  if (!absl::StrContains(path, "//")) {
    for (const RouteInfo& info : kRouteTable) {
      if (const auto values = info.pattern.Match(path)) return Route{info.family, values->repository, values->argument};
    }
  }
  return absl::NotFoundError("no endpoint has this path");
}

std::string RoutePath(RouteFamily family, absl::string_view repository, absl::string_view argument) {
  return GetRouteInfo(family).pattern.Path(repository, argument);
}

}  // namespace entrepot::gateway::api
