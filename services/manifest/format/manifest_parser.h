#ifndef ENTREPOT_SERVICES_MANIFEST_FORMAT_MANIFEST_PARSER_H_
#define ENTREPOT_SERVICES_MANIFEST_FORMAT_MANIFEST_PARSER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/core/media_type.h"
#include "services/manifest/format/descriptor.h"

namespace entrepot::manifest {

// What stands in a manifest, of whichever type; absent what does not.
struct ParsedManifest {
  std::optional<uint64_t> schema_version;
  std::optional<MediaType> media_type;
  std::optional<MediaType> artifact_type;
  std::optional<Descriptor> config;
  std::optional<std::vector<Descriptor>> layers;
  std::optional<std::vector<Descriptor>> manifests;
  std::optional<Descriptor> subject;
  std::map<std::string, std::string> annotations;
  // The mark of Docker's first format.
  bool has_fs_layers = false;
};

// Descriptors in one manifest, its subject included.
inline constexpr size_t kDescriptorsMax = 10'000;

// Reads the bytes of an image manifest or index (Docker's or OCI's) from an untrusted client: strict about JSON
// (strict_json.h) and about the type of each field, ignoring fields it does not know. What makes sense together is the
// validator's (manifest_validator.h). MANIFEST_INVALID, with the field as the detail, where that fails.
//
// Stored manifests are read again with it when they are deleted, so it must never refuse what it once accepted.
absl::StatusOr<ParsedManifest> ParseManifest(absl::string_view content);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_FORMAT_MANIFEST_PARSER_H_
