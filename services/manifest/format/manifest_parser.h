#ifndef ENTREPOT_SERVICES_MANIFEST_FORMAT_MANIFEST_PARSER_H_
#define ENTREPOT_SERVICES_MANIFEST_FORMAT_MANIFEST_PARSER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/manifest/format/descriptor.h"

namespace entrepot::manifest {

// The content of a manifest of any type. Fields that the manifest does not have are absent. Media types are as the
// manifest has them; they are not yet checked.
struct ParsedManifest {
  std::optional<uint64_t> schema_version;
  std::optional<std::string> media_type;
  std::optional<std::string> artifact_type;
  std::optional<Descriptor> config;
  std::optional<std::vector<Descriptor>> layers;
  std::optional<std::vector<Descriptor>> manifests;
  std::optional<Descriptor> subject;
  std::map<std::string, std::string> annotations;
  // Whether there is a field "fsLayers", as in Docker's schema 1.
  bool has_fs_layers = false;
};

// The maximum number of descriptors in one manifest, including its subject.
inline constexpr size_t kDescriptorsMax = 10'000;

// Parses an image manifest or an index (Docker's or OCI's) from an untrusted client. It is strict about JSON
// (services/core/text/strict_json.h) and about the type of each field, and ignores unknown fields. manifest_validator.h
// checks the manifest as a whole. MANIFEST_INVALID, with the field as the detail, if the content cannot be parsed.
//
// Stored manifests are parsed again when they are deleted: this function must never refuse a manifest that an earlier
// version accepted.
absl::StatusOr<ParsedManifest> ParseManifest(absl::string_view content);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_FORMAT_MANIFEST_PARSER_H_
