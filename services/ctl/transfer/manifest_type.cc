#include "services/ctl/transfer/manifest_type.h"

#include "absl/status/statusor.h"
#include "services/core/text/strict_json.h"

namespace entrepot::ctl {
namespace {

constexpr char kIndexType[] = "application/vnd.oci.image.index.v1+json";
constexpr char kImageType[] = "application/vnd.oci.image.manifest.v1+json";

std::string TextOf(const absl::StatusOr<boost::json::value>& manifest, const char* key) {
  const boost::json::value* const value =
      manifest.ok() && manifest->is_object() ? manifest->get_object().if_contains(key) : nullptr;
  return value != nullptr && value->is_string() ? std::string(value->get_string().c_str()) : "";
}

}  // namespace

std::string MediaTypeOfManifest(absl::string_view content, const std::string& stated) {
  const absl::StatusOr<boost::json::value> manifest = ParseStrictJson(content);
  if (std::string type = TextOf(manifest, "mediaType"); !type.empty()) return type;
  if (!stated.empty()) return stated;
  const bool is_index = manifest.ok() && manifest->is_object() && manifest->get_object().contains("manifests");
  return is_index ? kIndexType : kImageType;
}

std::string ArtifactTypeOfManifest(absl::string_view content) {
  return TextOf(ParseStrictJson(content), "artifactType");
}

}  // namespace entrepot::ctl
