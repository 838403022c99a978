#include "services/upstream/client/manifest_media_type.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "boost/json/value.hpp"
#include "services/core/media_type.h"
#include "services/core/text/strict_json.h"

namespace entrepot::upstream {
namespace {

bool IsGeneral(absl::string_view type) {
  return absl::EqualsIgnoreCase(type, "application/json") || absl::EqualsIgnoreCase(type, "text/plain") ||
         absl::EqualsIgnoreCase(type, "application/octet-stream") ||
         absl::EqualsIgnoreCase(type, "binary/octet-stream");
}

std::string TypeOfContent(absl::string_view content) {
  const auto value = ParseStrictJson(content);
  if (!value.ok() || !value->is_object()) return "";
  const boost::json::object& object = value->get_object();
  if (const boost::json::value* type = object.if_contains("mediaType"); type != nullptr && type->is_string()) {
    const auto parsed = MediaType::Parse({type->get_string().data(), type->get_string().size()});
    if (parsed.ok()) return parsed->ToString();
  }
  if (object.contains("manifests")) return "application/vnd.oci.image.index.v1+json";
  if (object.contains("config") && object.contains("layers")) return "application/vnd.oci.image.manifest.v1+json";
  return "";
}

}  // namespace

std::string ManifestMediaType(absl::string_view content_type) {
  const auto type = MediaType::ParseHeader(content_type);
  return type.ok() && !IsGeneral(type->ToString()) ? type->ToString() : "";
}

std::string ManifestMediaType(absl::string_view content_type, absl::string_view content) {
  std::string type = ManifestMediaType(content_type);
  return !type.empty() ? type : TypeOfContent(content);
}

bool IsWebPage(absl::string_view content_type) {
  content_type = absl::StripAsciiWhitespace(content_type.substr(0, content_type.find(';')));
  return absl::EqualsIgnoreCase(content_type, "text/html") ||
         absl::EqualsIgnoreCase(content_type, "application/xhtml+xml");
}

}  // namespace entrepot::upstream
