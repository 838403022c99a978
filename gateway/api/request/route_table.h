#ifndef ENTREPOT_GATEWAY_API_REQUEST_ROUTE_TABLE_H_
#define ENTREPOT_GATEWAY_API_REQUEST_ROUTE_TABLE_H_

#include <array>
#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gateway/api/request/route_pattern.h"

// The routes of the API. To add one:
//   1. Here: a member of RouteFamily and a row of kRouteTable.
//   2. A handler in a folder of gateway/api, and a line in gateway/api/registry_api.cc that adds it. A registry
//      whose table has a row without a handler does not start.
//   3. Rows in gateway/api/access_matrix_test.cc, which a static_assert demands, and a path in route_table_test.cc.
// Everything else follows from the row: which paths match, the Allow header, the metrics' label, the permission that a
// token must grant and the challenge that asks for it, the Location headers, and what tests/fuzz/route.cc checks.
//
// The OCI distribution API is under /v2/ (handlers in content/ and uploads/), Entrepot's own API under /entrepot/v1/
// (admin/). A read API is more rows under /entrepot/v1/, with its handlers in a folder of their own. Static files, such
// as a web UI, are rows with a prefix of their own (kNone: no token) and a handler that answers with a FileBody.
namespace entrepot::gateway::api {

enum class RouteFamily {
  kBase,
  kRepositoryList,
  kBlob,
  kUploadStart,
  kUploadSession,
  kManifest,
  kTagList,
  kReferrers,
  kMaintenance,
  kUpstreams,
  kToken,
  kKeySet,
  kAdmin,
  kRepository,
  kFrontPage,
};

// What a caller's token must grant, in a registry with accounts.
enum class Permission {
  kNone,      // No token is needed.
  kAnyToken,  // Any valid token will do.
  kPull,      // repository:NAME:pull, with the repository of the route
  kPush,      // repository:NAME:push
  kDelete,    // repository:NAME:delete
  kCatalog,   // registry:catalog:*
  kAdmin,     // registry:administration:*
};

// A method of a route. It always states its permission.
struct RouteMethod {
  constexpr RouteMethod(absl::string_view name, Permission permission) : name(name), permission(permission) {}

  absl::string_view name;  // "GET"
  Permission permission;
};

enum class Presence { kAlways, kWithAccounts };

struct RouteInfo {
  RouteFamily family;
  RoutePattern pattern;
  Presence presence;
  absl::string_view label;  // In metrics: "blob".
  absl::Span<const RouteMethod> methods;

  // nullptr if the route does not support the method.
  const RouteMethod* Find(absl::string_view method) const;
};

namespace internal {

inline constexpr std::array kBaseMethods = {RouteMethod("GET", Permission::kAnyToken),
                                            RouteMethod("HEAD", Permission::kAnyToken)};
inline constexpr std::array kRepositoryListMethods = {RouteMethod("GET", Permission::kCatalog),
                                                      RouteMethod("HEAD", Permission::kCatalog)};
inline constexpr std::array kBlobMethods = {RouteMethod("GET", Permission::kPull),
                                            RouteMethod("HEAD", Permission::kPull),
                                            RouteMethod("DELETE", Permission::kDelete)};
inline constexpr std::array kUploadStartMethods = {RouteMethod("POST", Permission::kPush)};
// Cancelling is part of pushing: podman cancels a session that a failed mount has started.
inline constexpr std::array kUploadSessionMethods = {
    RouteMethod("GET", Permission::kPush), RouteMethod("HEAD", Permission::kPush),
    RouteMethod("PATCH", Permission::kPush), RouteMethod("PUT", Permission::kPush),
    RouteMethod("DELETE", Permission::kPush)};
inline constexpr std::array kManifestMethods = {
    RouteMethod("GET", Permission::kPull), RouteMethod("HEAD", Permission::kPull),
    RouteMethod("PUT", Permission::kPush), RouteMethod("DELETE", Permission::kDelete)};
inline constexpr std::array kListMethods = {RouteMethod("GET", Permission::kPull),
                                            RouteMethod("HEAD", Permission::kPull)};
// A request for a token carries a credential, or none.
inline constexpr std::array kTokenMethods = {RouteMethod("GET", Permission::kNone),
                                             RouteMethod("POST", Permission::kNone)};
inline constexpr std::array kKeySetMethods = {RouteMethod("GET", Permission::kNone),
                                              RouteMethod("HEAD", Permission::kNone)};
inline constexpr std::array kAdminMethods = {RouteMethod("POST", Permission::kAdmin)};
inline constexpr std::array kMaintenanceMethods = {RouteMethod("POST", Permission::kAdmin)};
inline constexpr std::array kUpstreamsMethods = {RouteMethod("POST", Permission::kAdmin)};
inline constexpr std::array kRepositoryMethods = {RouteMethod("DELETE", Permission::kAdmin)};
inline constexpr std::array kFrontPageMethods = {RouteMethod("GET", Permission::kNone),
                                                 RouteMethod("HEAD", Permission::kNone)};

}  // namespace internal

// In the order of the enum. A path or a method that is not in the table is refused.
inline constexpr std::array kRouteTable = {
    // "/v2" is the same route as "/v2/".
    RouteInfo{RouteFamily::kBase, RoutePattern("/v2/"), Presence::kAlways, "base", internal::kBaseMethods},
    RouteInfo{RouteFamily::kRepositoryList, RoutePattern("/v2/_catalog"), Presence::kAlways, "catalog",
              internal::kRepositoryListMethods},
    RouteInfo{RouteFamily::kBlob, RoutePattern("/v2/{repository}/blobs/{digest}"), Presence::kAlways, "blob",
              internal::kBlobMethods},
    RouteInfo{RouteFamily::kUploadStart, RoutePattern("/v2/{repository}/blobs/uploads/"), Presence::kAlways, "uploads",
              internal::kUploadStartMethods},
    RouteInfo{RouteFamily::kUploadSession, RoutePattern("/v2/{repository}/blobs/uploads/{session}"), Presence::kAlways,
              "upload", internal::kUploadSessionMethods},
    RouteInfo{RouteFamily::kManifest, RoutePattern("/v2/{repository}/manifests/{reference}"), Presence::kAlways,
              "manifest", internal::kManifestMethods},
    RouteInfo{RouteFamily::kTagList, RoutePattern("/v2/{repository}/tags/list"), Presence::kAlways, "tags",
              internal::kListMethods},
    RouteInfo{RouteFamily::kReferrers, RoutePattern("/v2/{repository}/referrers/{digest}"), Presence::kAlways,
              "referrers", internal::kListMethods},
    RouteInfo{RouteFamily::kMaintenance, RoutePattern("/entrepot/v1/maintain"), Presence::kAlways, "maintain",
              internal::kMaintenanceMethods},
    RouteInfo{RouteFamily::kUpstreams, RoutePattern("/entrepot/v1/upstreams"), Presence::kAlways, "upstreams",
              internal::kUpstreamsMethods},
    RouteInfo{RouteFamily::kToken, RoutePattern("/token"), Presence::kWithAccounts, "token", internal::kTokenMethods},
    RouteInfo{RouteFamily::kKeySet, RoutePattern("/.well-known/jwks.json"), Presence::kWithAccounts, "key_set",
              internal::kKeySetMethods},
    RouteInfo{RouteFamily::kAdmin, RoutePattern("/entrepot/v1/administer"), Presence::kWithAccounts, "administer",
              internal::kAdminMethods},
    RouteInfo{RouteFamily::kRepository, RoutePattern("/entrepot/v1/repositories/{repository}"), Presence::kWithAccounts,
              "repository", internal::kRepositoryMethods},
    RouteInfo{RouteFamily::kFrontPage, RoutePattern("/"), Presence::kAlways, "front_page", internal::kFrontPageMethods},
};

constexpr bool RouteTableFollowsEnum() {
  for (size_t i = 0; i < kRouteTable.size(); ++i) {
    if (kRouteTable[i].family != static_cast<RouteFamily>(i)) return false;
  }
  return kRouteTable.back().family == RouteFamily::kFrontPage;
}
static_assert(RouteTableFollowsEnum());

constexpr const RouteInfo& GetRouteInfo(RouteFamily family) { return kRouteTable[static_cast<size_t>(family)]; }

// A path taken apart. Both parts are raw text. A part is empty exactly if the family's pattern does not have it.
struct Route {
  RouteFamily family;
  absl::string_view repository;
  absl::string_view argument;
};

// Takes a request's path apart, percent-decoded once. The route's views refer to `*decoded` if the path is encoded,
// otherwise to `path`: both must outlive the route.
//
// kInvalidArgument (NAME_INVALID): the path has an invalid percent-encoding, is not UTF-8 or holds a control byte.
// kNotFound: no route has this path, or two slashes follow each other in it.
absl::StatusOr<Route> ParseRoute(absl::string_view path, std::string* decoded);

// The path of a route, for the Location and Link headers: absolute, which every client resolves against the address
// that it used, and without a query, which some clients drop or rebuild.
std::string RoutePath(RouteFamily family, absl::string_view repository = "", absl::string_view argument = "");

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REQUEST_ROUTE_TABLE_H_
