#include "gateway/api/request/route_table.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gateway/api/request/percent_encoding.h"
#include "services/core/text/utf8.h"
#include "services/status/oci_error.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

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

// `name` is what follows "/entrepot/v1/repositories/".
absl::StatusOr<Route> ParseRepository(absl::string_view name) {
  if (name.empty() || absl::EndsWith(name, "/")) return NoSuchEndpoint();
  return Route{RouteFamily::kRepository, name, ""};
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
                      absl::StrCat("the path is not percent-encoded rightly: ", QuotedInput(path)));
    }
    *decoded = *std::move(text);
    path = *decoded;
  }
  RETURN_IF_ERROR(CheckText(path));
  if (path == "/v2" || path == "/v2/") return Route{RouteFamily::kBase, "", ""};
  if (path == "/v2/_catalog") return Route{RouteFamily::kCatalog, "", ""};
  if (path == "/token") return Route{RouteFamily::kToken, "", ""};
  if (path == "/.well-known/jwks.json") return Route{RouteFamily::kKeySet, "", ""};
  if (path == "/entrepot/v1/maintain") return Route{RouteFamily::kMaintain, "", ""};
  if (path == "/entrepot/v1/administer") return Route{RouteFamily::kAdminister, "", ""};
  if (absl::StrContains(path, "//")) return NoSuchEndpoint();
  if (absl::ConsumePrefix(&path, "/entrepot/v1/repositories/")) return ParseRepository(path);
  if (!absl::ConsumePrefix(&path, "/v2/")) return NoSuchEndpoint();
  return ParseRest(path);
}

}  // namespace entrepot::gateway::api
