#ifndef ENTREPOT_GATEWAY_API_ROUTE_TABLE_H_
#define ENTREPOT_GATEWAY_API_ROUTE_TABLE_H_

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
};

// What is known of a family: the whole table of method and route. Whoever adds a row to it adds a handler.
struct RouteInfo {
  RouteFamily family;
  absl::string_view label;                      // In metrics: "blob".
  absl::Span<const absl::string_view> methods;  // {"GET", "HEAD"}
  absl::string_view allow;                      // The same as an Allow header: "GET, HEAD".

  bool Allows(absl::string_view method) const;
};

const RouteInfo& GetRouteInfo(RouteFamily family);

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

#endif  // ENTREPOT_GATEWAY_API_ROUTE_TABLE_H_
