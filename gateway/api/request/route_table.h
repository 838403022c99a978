#ifndef ENTREPOT_GATEWAY_API_REQUEST_ROUTE_TABLE_H_
#define ENTREPOT_GATEWAY_API_REQUEST_ROUTE_TABLE_H_

#include <array>
#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace entrepot::gateway::api {

// The endpoints of the API by the form of their paths. N is a repository's name, which may hold slashes and words such
// as "blobs": paths are read from the right.
enum class RouteFamily {
  kBase,            // /v2/ (and /v2)
  kRepositoryList,  // /v2/_catalog
  kBlob,            // /v2/N/blobs/<digest>
  kUploadStart,     // /v2/N/blobs/uploads/
  kUploadSession,   // /v2/N/blobs/uploads/<session>
  kManifest,        // /v2/N/manifests/<tag or digest>
  kTagList,         // /v2/N/tags/list
  kReferrers,       // /v2/N/referrers/<digest>
  kMaintenance,     // /entrepot/v1/maintain
  // Only of a registry with accounts.
  kToken,       // /token
  kKeySet,      // /.well-known/jwks.json
  kAdmin,       // /entrepot/v1/administer
  kRepository,  // /entrepot/v1/repositories/N
};

// What a caller's token must grant where the registry has accounts.
enum class Permission {
  kNone,      // Not even a token.
  kAnyToken,  // A good one, whatever it grants.
  kPull,      // These three: on the route's repository.
  kPush,      //
  kDelete,    //
  kCatalog,   // registry:catalog:*
  kAdmin,     // registry:administration:*
};

// A method that a route knows, never without what it needs.
struct RouteMethod {
  constexpr RouteMethod(absl::string_view name, Permission permission) : name(name), permission(permission) {}

  absl::string_view name;  // "GET"
  Permission permission;
};

// What a path is about: one repository, whose name it holds, or the registry.
enum class PathOf { kRegistry, kRepository };

enum class Presence { kAlways, kWithAccounts };

// What is known of a family: the whole table of method and route. What is not in it is refused. Whoever adds a row to
// it adds a handler, and rows to access_matrix_test.cc.
struct RouteInfo {
  RouteFamily family;
  PathOf path_of;
  Presence presence;
  absl::string_view label;  // In metrics: "blob".
  absl::Span<const RouteMethod> methods;
  absl::string_view allow;  // Their names as an Allow header: "GET, HEAD".

  // nullptr: the route does not know the method.
  const RouteMethod* Find(absl::string_view method) const;
};

namespace internal {

inline constexpr std::array kBaseMethods = {RouteMethod("GET", Permission::kAnyToken),
                                            RouteMethod("HEAD", Permission::kAnyToken)};
inline constexpr std::array kCatalogMethods = {RouteMethod("GET", Permission::kCatalog),
                                               RouteMethod("HEAD", Permission::kCatalog)};
inline constexpr std::array kBlobMethods = {RouteMethod("GET", Permission::kPull),
                                            RouteMethod("HEAD", Permission::kPull),
                                            RouteMethod("DELETE", Permission::kDelete)};
inline constexpr std::array kUploadsMethods = {RouteMethod("POST", Permission::kPush)};
// Cancelling is a part of pushing: podman does it after every mount that became a session.
inline constexpr std::array kUploadMethods = {
    RouteMethod("GET", Permission::kPush), RouteMethod("HEAD", Permission::kPush),
    RouteMethod("PATCH", Permission::kPush), RouteMethod("PUT", Permission::kPush),
    RouteMethod("DELETE", Permission::kPush)};
inline constexpr std::array kManifestMethods = {
    RouteMethod("GET", Permission::kPull), RouteMethod("HEAD", Permission::kPull),
    RouteMethod("PUT", Permission::kPush), RouteMethod("DELETE", Permission::kDelete)};
inline constexpr std::array kListMethods = {RouteMethod("GET", Permission::kPull),
                                            RouteMethod("HEAD", Permission::kPull)};
// A token is asked for with a credential, or with none.
inline constexpr std::array kTokenMethods = {RouteMethod("GET", Permission::kNone),
                                             RouteMethod("POST", Permission::kNone)};
inline constexpr std::array kKeySetMethods = {RouteMethod("GET", Permission::kNone),
                                              RouteMethod("HEAD", Permission::kNone)};
inline constexpr std::array kAdministerMethods = {RouteMethod("POST", Permission::kAdmin)};
inline constexpr std::array kMaintainMethods = {RouteMethod("POST", Permission::kAdmin)};
inline constexpr std::array kRepositoryMethods = {RouteMethod("DELETE", Permission::kAdmin)};

}  // namespace internal

// In the order of the enum.
inline constexpr std::array kRouteTable = {
    RouteInfo{RouteFamily::kBase, PathOf::kRegistry, Presence::kAlways, "base", internal::kBaseMethods, "GET, HEAD"},
    RouteInfo{RouteFamily::kRepositoryList, PathOf::kRegistry, Presence::kAlways, "catalog", internal::kCatalogMethods,
              "GET, HEAD"},
    RouteInfo{RouteFamily::kBlob, PathOf::kRepository, Presence::kAlways, "blob", internal::kBlobMethods,
              "GET, HEAD, DELETE"},
    RouteInfo{RouteFamily::kUploadStart, PathOf::kRepository, Presence::kAlways, "uploads", internal::kUploadsMethods,
              "POST"},
    RouteInfo{RouteFamily::kUploadSession, PathOf::kRepository, Presence::kAlways, "upload", internal::kUploadMethods,
              "GET, HEAD, PATCH, PUT, DELETE"},
    RouteInfo{RouteFamily::kManifest, PathOf::kRepository, Presence::kAlways, "manifest", internal::kManifestMethods,
              "GET, HEAD, PUT, DELETE"},
    RouteInfo{RouteFamily::kTagList, PathOf::kRepository, Presence::kAlways, "tags", internal::kListMethods,
              "GET, HEAD"},
    RouteInfo{RouteFamily::kReferrers, PathOf::kRepository, Presence::kAlways, "referrers", internal::kListMethods,
              "GET, HEAD"},
    RouteInfo{RouteFamily::kMaintenance, PathOf::kRegistry, Presence::kAlways, "maintain", internal::kMaintainMethods,
              "POST"},
    RouteInfo{RouteFamily::kToken, PathOf::kRegistry, Presence::kWithAccounts, "token", internal::kTokenMethods,
              "GET, POST"},
    RouteInfo{RouteFamily::kKeySet, PathOf::kRegistry, Presence::kWithAccounts, "key_set", internal::kKeySetMethods,
              "GET, HEAD"},
    RouteInfo{RouteFamily::kAdmin, PathOf::kRegistry, Presence::kWithAccounts, "administer",
              internal::kAdministerMethods, "POST"},
    RouteInfo{RouteFamily::kRepository, PathOf::kRepository, Presence::kWithAccounts, "repository",
              internal::kRepositoryMethods, "DELETE"},
};
inline constexpr size_t kRouteFamilies = kRouteTable.size();

constexpr bool RouteTableFollowsEnum() {
  for (size_t i = 0; i < kRouteTable.size(); ++i) {
    if (kRouteTable[i].family != static_cast<RouteFamily>(i)) return false;
  }
  return kRouteTable.back().family == RouteFamily::kRepository;
}
static_assert(RouteTableFollowsEnum());

constexpr const RouteInfo& GetRouteInfo(RouteFamily family) { return kRouteTable[static_cast<size_t>(family)]; }

// A path taken apart. What it holds is still to be parsed into types; neither part is empty where the family has it.
struct Route {
  RouteFamily family;
  absl::string_view repository;  // N
  absl::string_view argument;    // What stands in angle brackets above.
};

// Takes the path of a request apart. It is percent-decoded once; `*decoded` then holds what the route refers to, and
// the path itself does where nothing was encoded: both must outlive the route.
//
// kInvalidArgument (NAME_INVALID): not percent-encoding, not UTF-8, or it holds a control byte. kNotFound: the path of
// no endpoint, which includes empty segments.
absl::StatusOr<Route> ParseRoute(absl::string_view path, std::string* decoded);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REQUEST_ROUTE_TABLE_H_
