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
  kBase,       // /v2/ (and /v2)
  kCatalog,    // /v2/_catalog
  kBlob,       // /v2/N/blobs/<digest>
  kUploads,    // /v2/N/blobs/uploads/
  kUpload,     // /v2/N/blobs/uploads/<session>
  kManifest,   // /v2/N/manifests/<tag or digest>
  kTags,       // /v2/N/tags/list
  kReferrers,  // /v2/N/referrers/<digest>
  kMaintain,   // /entrepot/v1/maintain
  // Only of a registry with accounts.
  kToken,       // /token
  kKeySet,      // /.well-known/jwks.json
  kAdminister,  // /entrepot/v1/administer
  kRepository,  // /entrepot/v1/repositories/N
};

// What a caller's token must grant where the registry has accounts.
enum class Need {
  kNothing,     // Not even a token.
  kAnyToken,    // A good one, whatever it grants.
  kPull,        // These three: on the route's repository.
  kPush,        //
  kDelete,      //
  kCatalog,     // registry:catalog:*
  kAdminister,  // registry:administration:*
};

// A method that a route knows, never without what it needs.
struct RouteMethod {
  constexpr RouteMethod(absl::string_view name, Need need) : name(name), need(need) {}

  absl::string_view name;  // "GET"
  Need need;
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

inline constexpr std::array kBaseMethods = {RouteMethod("GET", Need::kAnyToken), RouteMethod("HEAD", Need::kAnyToken)};
inline constexpr std::array kCatalogMethods = {RouteMethod("GET", Need::kCatalog), RouteMethod("HEAD", Need::kCatalog)};
inline constexpr std::array kBlobMethods = {RouteMethod("GET", Need::kPull), RouteMethod("HEAD", Need::kPull),
                                            RouteMethod("DELETE", Need::kDelete)};
inline constexpr std::array kUploadsMethods = {RouteMethod("POST", Need::kPush)};
// Cancelling is a part of pushing: podman does it after every mount that became a session.
inline constexpr std::array kUploadMethods = {RouteMethod("GET", Need::kPush), RouteMethod("HEAD", Need::kPush),
                                              RouteMethod("PATCH", Need::kPush), RouteMethod("PUT", Need::kPush),
                                              RouteMethod("DELETE", Need::kPush)};
inline constexpr std::array kManifestMethods = {RouteMethod("GET", Need::kPull), RouteMethod("HEAD", Need::kPull),
                                                RouteMethod("PUT", Need::kPush), RouteMethod("DELETE", Need::kDelete)};
inline constexpr std::array kListMethods = {RouteMethod("GET", Need::kPull), RouteMethod("HEAD", Need::kPull)};
// A token is asked for with a credential, or with none.
inline constexpr std::array kTokenMethods = {RouteMethod("GET", Need::kNothing), RouteMethod("POST", Need::kNothing)};
inline constexpr std::array kKeySetMethods = {RouteMethod("GET", Need::kNothing), RouteMethod("HEAD", Need::kNothing)};
inline constexpr std::array kAdministerMethods = {RouteMethod("POST", Need::kAdminister)};
inline constexpr std::array kMaintainMethods = {RouteMethod("POST", Need::kAdminister)};
inline constexpr std::array kRepositoryMethods = {RouteMethod("DELETE", Need::kAdminister)};

}  // namespace internal

// In the order of the enum.
inline constexpr std::array kRouteTable = {
    RouteInfo{RouteFamily::kBase, PathOf::kRegistry, Presence::kAlways, "base", internal::kBaseMethods, "GET, HEAD"},
    RouteInfo{RouteFamily::kCatalog, PathOf::kRegistry, Presence::kAlways, "catalog", internal::kCatalogMethods,
              "GET, HEAD"},
    RouteInfo{RouteFamily::kBlob, PathOf::kRepository, Presence::kAlways, "blob", internal::kBlobMethods,
              "GET, HEAD, DELETE"},
    RouteInfo{RouteFamily::kUploads, PathOf::kRepository, Presence::kAlways, "uploads", internal::kUploadsMethods,
              "POST"},
    RouteInfo{RouteFamily::kUpload, PathOf::kRepository, Presence::kAlways, "upload", internal::kUploadMethods,
              "GET, HEAD, PATCH, PUT, DELETE"},
    RouteInfo{RouteFamily::kManifest, PathOf::kRepository, Presence::kAlways, "manifest", internal::kManifestMethods,
              "GET, HEAD, PUT, DELETE"},
    RouteInfo{RouteFamily::kTags, PathOf::kRepository, Presence::kAlways, "tags", internal::kListMethods, "GET, HEAD"},
    RouteInfo{RouteFamily::kReferrers, PathOf::kRepository, Presence::kAlways, "referrers", internal::kListMethods,
              "GET, HEAD"},
    RouteInfo{RouteFamily::kMaintain, PathOf::kRegistry, Presence::kAlways, "maintain", internal::kMaintainMethods,
              "POST"},
    RouteInfo{RouteFamily::kToken, PathOf::kRegistry, Presence::kWithAccounts, "token", internal::kTokenMethods,
              "GET, POST"},
    RouteInfo{RouteFamily::kKeySet, PathOf::kRegistry, Presence::kWithAccounts, "key_set", internal::kKeySetMethods,
              "GET, HEAD"},
    RouteInfo{RouteFamily::kAdminister, PathOf::kRegistry, Presence::kWithAccounts, "administer",
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
