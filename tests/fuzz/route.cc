#include <string>

#include "absl/strings/str_split.h"
#include "gateway/api/request/route_table.h"
#include "tests/fuzz/error_properties.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::OciErrorCode;
using entrepot::gateway::api::GetRouteInfo;
using entrepot::gateway::api::ParseRoute;
using entrepot::gateway::api::Route;
using entrepot::gateway::api::RouteInfo;
using entrepot::gateway::api::RoutePath;

namespace {

bool IsSafe(absl::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return true;
}

bool HasNoEmptySegment(absl::string_view text) {
  for (absl::string_view segment : absl::StrSplit(text, '/')) {
    if (segment.empty()) return false;
  }
  return true;
}

}  // namespace

FUZZ_TARGET(input) {
  std::string decoded;
  const auto route = ParseRoute(input, &decoded);
  if (!route.ok()) {
    FUZZ_CHECK(absl::IsNotFound(route.status()) || absl::IsInvalidArgument(route.status()));
    entrepot::fuzz::CheckMessage(route.status());
    return;
  }
  const RouteInfo& info = GetRouteInfo(route->family);
  FUZZ_CHECK(info.family == route->family);
  const bool in_repository = info.pattern.has_repository();
  FUZZ_CHECK(route->repository.empty() != in_repository);
  FUZZ_CHECK(route->argument.empty() != info.pattern.has_argument());
  FUZZ_CHECK(IsSafe(route->repository) && IsSafe(route->argument));
  FUZZ_CHECK(!in_repository || HasNoEmptySegment(route->repository));
  FUZZ_CHECK(route->argument.find('/') == absl::string_view::npos);

  // A parsed route, written as a path, is parsed to the same route. A decoded percent sign would be decoded twice, but
  // no valid name, digest, tag or session contains one.
  const std::string path = RoutePath(route->family, route->repository, route->argument);
  if (path.find('%') != std::string::npos) return;
  std::string decoded_again;
  const auto again = ParseRoute(path, &decoded_again);
  FUZZ_CHECK(again.ok());
  FUZZ_CHECK(again->family == route->family);
  FUZZ_CHECK(again->repository == route->repository);
  FUZZ_CHECK(again->argument == route->argument);
}
