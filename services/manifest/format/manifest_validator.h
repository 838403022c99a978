#ifndef ENTREPOT_SERVICES_MANIFEST_FORMAT_MANIFEST_VALIDATOR_H_
#define ENTREPOT_SERVICES_MANIFEST_FORMAT_MANIFEST_VALIDATOR_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/core/digest.h"
#include "services/core/media_type.h"
#include "services/manifest/format/manifest_parser.h"

namespace entrepot::manifest {

// An image (or an artifact in its form) has a config and layers; an index lists manifests.
enum class ManifestKind { kImage, kIndex };

// Content that a manifest refers to.
struct Need {
  // The first field that names it: "layers[3]".
  std::string field;
  Digest digest;
  uint64_t size_bytes = 0;
  // A layer that need not be in a registry.
  bool may_be_missing = false;
};

// A manifest that makes sense in itself; whether what it needs is there only the catalog knows.
struct ValidManifest {
  ManifestKind kind = ManifestKind::kImage;
  MediaType media_type;
  // One a digest, in the order of the digests. Not the subject, which may be missing.
  std::vector<Need> needs;
  std::optional<Digest> subject;
  // As a list of referrers shows it: an image without one has its config's type, an index none.
  std::string artifact_type;
  std::map<std::string, std::string> annotations;
};

// Checks the manifest by its type, which is that of the Content-Type header, of its own `mediaType`, or of both where
// they agree. MANIFEST_INVALID, with the field as the detail.
absl::StatusOr<ValidManifest> ValidateManifest(const std::optional<MediaType>& content_type, ParsedManifest manifest);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_FORMAT_MANIFEST_VALIDATOR_H_
