#include "services/manifest/format/manifest_parser.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "boost/json/array.hpp"
#include "boost/json/value.hpp"
#include "services/core/text/strict_json.h"
#include "services/manifest/format/json_fields.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

namespace json = boost::json;

constexpr absl::string_view kFields[] = {"schemaVersion", "mediaType", "artifactType", "config",  "layers",
                                         "manifests",     "subject",   "annotations",  "fsLayers"};

absl::StatusOr<std::optional<Descriptor>> ParseOne(const JsonFields& fields, absl::string_view name) {
  const json::value* const value = fields.Find(name);
  if (value == nullptr) return std::nullopt;
  return ParseDescriptor(fields.Path(name), *value);
}

absl::StatusOr<std::optional<std::vector<Descriptor>>> ParseList(const JsonFields& fields, absl::string_view name) {
  ASSIGN_OR_RETURN(const json::array* const values, fields.Array(name));
  if (values == nullptr) return std::nullopt;
  if (values->size() > kDescriptorsMax) {
    return InvalidField(fields.Path(name), absl::StrCat("has more than ", kDescriptorsMax, " entries (a fixed limit)"));
  }
  std::vector<Descriptor> descriptors;
  descriptors.reserve(values->size());
  for (const json::value& value : *values) {
    const std::string path = absl::StrCat(fields.Path(name), "[", descriptors.size(), "]");
    ASSIGN_OR_RETURN(Descriptor descriptor, ParseDescriptor(path, value));
    descriptors.push_back(std::move(descriptor));
  }
  return descriptors;
}

}  // namespace

absl::StatusOr<ParsedManifest> ParseManifest(absl::string_view content) {
  const absl::StatusOr<json::value> tree = ParseStrictJson(content);
  if (!tree.ok()) {
    return OciError(OciErrorCode::kManifestInvalid, absl::StrCat("the manifest is ", tree.status().message()));
  }
  ASSIGN_OR_RETURN(const JsonFields fields, JsonFields::Of("", *tree));
  RETURN_IF_ERROR(fields.RefuseOtherSpellings(kFields));

  ParsedManifest manifest;
  ASSIGN_OR_RETURN(manifest.schema_version, fields.Unsigned("schemaVersion"));
  ASSIGN_OR_RETURN(manifest.media_type, fields.NonEmptyString("mediaType"));
  ASSIGN_OR_RETURN(manifest.artifact_type, fields.NonEmptyString("artifactType"));
  ASSIGN_OR_RETURN(manifest.config, ParseOne(fields, "config"));
  ASSIGN_OR_RETURN(manifest.layers, ParseList(fields, "layers"));
  ASSIGN_OR_RETURN(manifest.manifests, ParseList(fields, "manifests"));
  ASSIGN_OR_RETURN(manifest.subject, ParseOne(fields, "subject"));
  ASSIGN_OR_RETURN(manifest.annotations, fields.StringMap("annotations"));
  manifest.has_fs_layers = fields.Find("fsLayers") != nullptr;
  return manifest;
}

}  // namespace entrepot::manifest
