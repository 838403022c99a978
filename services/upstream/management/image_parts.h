#ifndef ENTREPOT_SERVICES_UPSTREAM_MANAGEMENT_IMAGE_PARTS_H_
#define ENTREPOT_SERVICES_UPSTREAM_MANAGEMENT_IMAGE_PARTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/core/digest.h"
#include "services/upstream/names/platform.h"

namespace entrepot::upstream {

struct ImageChild {
  Digest digest;
  // Without an os if the index does not have it.
  Platform platform;
};

struct ImageBlob {
  Digest digest;
  // As the manifest states it; may be wrong.
  uint64_t size_bytes = 0;
};

// What a manifest refers to.
struct ImageParts {
  // Of an index.
  std::vector<ImageChild> children;
  // The config and the layers of an image, each once; without those that registries do not distribute.
  std::vector<ImageBlob> blobs;
};

// kInvalidArgument: not a JSON object. Descriptors without a digest that can be used are left out: the registry serves
// the manifest as the upstream holds it, but nothing can be fetched for them.
absl::StatusOr<ImageParts> ParseImageParts(absl::string_view manifest);

// The children that `platforms` want: all if there are none. A child without a platform may be anything, and is always
// wanted. kNotFound: the parts are those of the index that was asked for (`is_root`), and no child has one of the
// platforms; the message has those that the index has.
absl::StatusOr<std::vector<Digest>> WantedChildren(const ImageParts& parts, const std::vector<Platform>& platforms,
                                                   bool is_root);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_MANAGEMENT_IMAGE_PARTS_H_
