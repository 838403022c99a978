#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/api/request/route_table.h"
#include "tests/fuzz/error_properties.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::OciErrorCode;
using entrepot::gateway::api::GetRouteInfo;
using entrepot::gateway::api::ParseRoute;
using entrepot::gateway::api::PathOf;
using entrepot::gateway::api::Route;
using entrepot::gateway::api::RouteFamily;

namespace {

bool HasArgument(RouteFamily family) {
  return family == RouteFamily::kBlob || family == RouteFamily::kUpload || family == RouteFamily::kManifest ||
         family == RouteFamily::kReferrers;
}

std::string MakePath(const Route& route) {
  switch (route.family) {
    case RouteFamily::kBase:
      return "/v2/";
    case RouteFamily::kCatalog:
      return "/v2/_catalog";
    case RouteFamily::kBlob:
      return absl::StrCat("/v2/", route.repository, "/blobs/", route.argument);
    case RouteFamily::kUploads:
      return absl::StrCat("/v2/", route.repository, "/blobs/uploads/");
    case RouteFamily::kUpload:
      return absl::StrCat("/v2/", route.repository, "/blobs/uploads/", route.argument);
    case RouteFamily::kManifest:
      return absl::StrCat("/v2/", route.repository, "/manifests/", route.argument);
    case RouteFamily::kTags:
      return absl::StrCat("/v2/", route.repository, "/tags/list");
    case RouteFamily::kReferrers:
      return absl::StrCat("/v2/", route.repository, "/referrers/", route.argument);
    case RouteFamily::kToken:
      return "/token";
    case RouteFamily::kKeySet:
      return "/.well-known/jwks.json";
    case RouteFamily::kAdminister:
      return "/entrepot/v1/administer";
    case RouteFamily::kMaintain:
      return "/entrepot/v1/maintain";
    case RouteFamily::kRepository:
      return absl::StrCat("/entrepot/v1/repositories/", route.repository);
  }
  return "";
}

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
  FUZZ_CHECK(GetRouteInfo(route->family).family == route->family);
  const bool in_repository = GetRouteInfo(route->family).path_of == PathOf::kRepository;
  FUZZ_CHECK(route->repository.empty() != in_repository);
  FUZZ_CHECK(route->argument.empty() != HasArgument(route->family));
  FUZZ_CHECK(IsSafe(route->repository) && IsSafe(route->argument));
  FUZZ_CHECK(!in_repository || HasNoEmptySegment(route->repository));
  FUZZ_CHECK(route->argument.find('/') == absl::string_view::npos);

  // What was understood, written as a path, is understood in the same way. A decoded percent sign would be decoded
  // twice, but is in no valid name, digest, tag or session either.
  const std::string path = MakePath(*route);
  if (path.find('%') != std::string::npos) return;
  std::string decoded_again;
  const auto again = ParseRoute(path, &decoded_again);
  FUZZ_CHECK(again.ok());
  FUZZ_CHECK(again->family == route->family);
  FUZZ_CHECK(again->repository == route->repository);
  FUZZ_CHECK(again->argument == route->argument);
}
