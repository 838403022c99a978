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

// What a manifest refers to: the config or a layer of an image, or a child of an index.
enum class NeedKind { kConfig, kLayer, kChild };

// A blob or manifest that a manifest refers to.
struct ManifestNeed {
  // The first field that names it: "layers[3]".
  std::string field;
  Digest digest;
  uint64_t size_bytes = 0;
  // kConfig if it is a config and a layer.
  NeedKind kind = NeedKind::kConfig;
  // Whether it is a layer that need not be in the registry.
  bool may_be_missing = false;
};

// A manifest that is valid by itself. The catalog checks whether its needs exist (catalog/manifest_needs.h).
struct ValidManifest {
  ManifestKind kind = ManifestKind::kImage;
  MediaType media_type;
  // One for each digest, sorted by digest. Without the subject, which may be missing.
  std::vector<ManifestNeed> needs;
  std::optional<Digest> subject;
  // As in a list of referrers: the manifest's own value; for an image without an artifact type, the type of its config;
  // for an index without one, empty.
  std::string artifact_type;
  std::map<std::string, std::string> annotations;
};

// Validates the manifest by the rules of its type. The type is the Content-Type header or the manifest's own
// `mediaType`; if both exist, they must agree. MANIFEST_INVALID: the manifest is invalid; the detail is the field.
absl::StatusOr<ValidManifest> ValidateManifest(const std::optional<MediaType>& content_type, ParsedManifest manifest);

// The same for a manifest of an upstream, which is kept as it is there. Does not check the media types in the content,
// nor whether one digest has one size.
absl::StatusOr<ValidManifest> ValidateCachedManifest(const std::optional<MediaType>& content_type,
                                                     ParsedManifest manifest);

// The same for a manifest that was stored with that type: it may be that of an upstream, and earlier versions accepted
// media types that ValidateManifest() refuses.
absl::StatusOr<ValidManifest> ValidateStoredManifest(MediaType media_type, ParsedManifest manifest);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_FORMAT_MANIFEST_VALIDATOR_H_
