#include "gateway/api/route_table.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gateway/api/percent_encoding.h"
#include "services/runtime/utf8.h"
#include "services/status/oci_error.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

using Method = absl::string_view;

constexpr std::array<Method, 2> kReads = {"GET", "HEAD"};
constexpr std::array<Method, 3> kBlobMethods = {"GET", "HEAD", "DELETE"};
constexpr std::array<Method, 1> kUploadsMethods = {"POST"};
constexpr std::array<Method, 5> kUploadMethods = {"GET", "HEAD", "PATCH", "PUT", "DELETE"};
constexpr std::array<Method, 4> kManifestMethods = {"GET", "HEAD", "PUT", "DELETE"};

// In the order of the enum.
constexpr std::array kTable = {
    RouteInfo{RouteFamily::kBase, "base", kReads, "GET, HEAD"},
    RouteInfo{RouteFamily::kCatalog, "catalog", kReads, "GET, HEAD"},
    RouteInfo{RouteFamily::kBlob, "blob", kBlobMethods, "GET, HEAD, DELETE"},
    RouteInfo{RouteFamily::kUploads, "uploads", kUploadsMethods, "POST"},
    RouteInfo{RouteFamily::kUpload, "upload", kUploadMethods, "GET, HEAD, PATCH, PUT, DELETE"},
    RouteInfo{RouteFamily::kManifest, "manifest", kManifestMethods, "GET, HEAD, PUT, DELETE"},
    RouteInfo{RouteFamily::kTags, "tags", kReads, "GET, HEAD"},
    RouteInfo{RouteFamily::kReferrers, "referrers", kReads, "GET, HEAD"},
};

constexpr bool TableFollowsEnum() {
  for (size_t i = 0; i < kTable.size(); ++i) {
    if (kTable[i].family != static_cast<RouteFamily>(i)) return false;
  }
  return kTable.back().family == RouteFamily::kReferrers;
}
static_assert(TableFollowsEnum());

absl::Status NoSuchEndpoint() { return absl::NotFoundError("no endpoint has this path"); }

absl::Status CheckText(absl::string_view path) {
  if (std::any_of(path.begin(), path.end(), [](unsigned char c) { return absl::ascii_iscntrl(c); })) {
    return OciError(OciErrorCode::kNameInvalid, absl::StrCat("control byte in the path ", QuotedInput(path)));
  }
  if (runtime::Utf8PrefixLength(path) != path.size()) {
    return OciError(OciErrorCode::kNameInvalid, absl::StrCat("the path is not UTF-8: ", QuotedInput(path)));
  }
  return absl::OkStatus();
}

// Takes the last segment off `*path`, and the slash before it; what is left is empty where there was no slash.
absl::string_view PopSegment(absl::string_view* path) {
  const size_t slash = path->rfind('/');
  const absl::string_view segment = slash == absl::string_view::npos ? *path : path->substr(slash + 1);
  *path = slash == absl::string_view::npos ? absl::string_view() : path->substr(0, slash);
  return segment;
}

std::optional<RouteFamily> FamilyOf(absl::string_view collection, absl::string_view argument) {
  if (collection == "blobs") return RouteFamily::kBlob;
  if (collection == "manifests") return RouteFamily::kManifest;
  if (collection == "referrers") return RouteFamily::kReferrers;
  if (collection == "tags" && argument == "list") return RouteFamily::kTags;
  return std::nullopt;
}

// `rest` is what follows "/v2/".
absl::StatusOr<Route> ParseRest(absl::string_view rest) {
  const absl::string_view argument = PopSegment(&rest);
  const absl::string_view collection = PopSegment(&rest);
  std::optional<RouteFamily> family;
  if (collection == "uploads" && (rest == "blobs" || absl::EndsWith(rest, "/blobs"))) {
    PopSegment(&rest);
    family = argument.empty() ? RouteFamily::kUploads : RouteFamily::kUpload;
  } else if (!argument.empty()) {
    family = FamilyOf(collection, argument);
  }
  if (!family.has_value() || rest.empty()) return NoSuchEndpoint();
  if (family == RouteFamily::kTags) return Route{*family, rest, ""};
  return Route{*family, rest, argument};
}

}  // namespace

bool RouteInfo::Allows(absl::string_view method) const {
  return std::find(methods.begin(), methods.end(), method) != methods.end();
}

const RouteInfo& GetRouteInfo(RouteFamily family) { return kTable[static_cast<size_t>(family)]; }

absl::StatusOr<Route> ParseRoute(absl::string_view path, std::string* decoded) {
  if (absl::StrContains(path, '%')) {
    std::optional<std::string> text = PercentDecode(path);
    if (!text.has_value()) {
      return OciError(OciErrorCode::kNameInvalid,
                      absl::StrCat("the path is not percent-encoded rightly: ", QuotedInput(path)));
    }
    *decoded = *std::move(text);
    path = *decoded;
  }
  RETURN_IF_ERROR(CheckText(path));
  if (path == "/v2" || path == "/v2/") return Route{RouteFamily::kBase, "", ""};
  if (path == "/v2/_catalog") return Route{RouteFamily::kCatalog, "", ""};
  if (!absl::ConsumePrefix(&path, "/v2/") || absl::StartsWith(path, "/") || absl::StrContains(path, "//")) {
    return NoSuchEndpoint();
  }
  return ParseRest(path);
}

}  // namespace entrepot::gateway::api
