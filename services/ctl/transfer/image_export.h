#ifndef ENTREPOT_SERVICES_CTL_TRANSFER_IMAGE_EXPORT_H_
#define ENTREPOT_SERVICES_CTL_TRANSFER_IMAGE_EXPORT_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/ctl/client/content_client.h"
#include "services/ctl/layout/layout_index.h"
#include "services/ctl/layout/layout_writer.h"
#include "services/ctl/output/transfer_text.h"
#include "services/upstream/names/platform.h"

namespace entrepot::ctl {

// An image with its referrers has at most so many; the bounds protect the memory.
inline constexpr size_t kTransferredManifestsMax = 10'000;
inline constexpr size_t kTransferredBlobsMax = 100'000;

struct ImageToExport {
  // A tag or a digest.
  std::string reference;
  // Of an index, only these; empty: all.
  std::vector<upstream::Platform> platforms = {};
  // Whether the manifests that name the image's as subject are exported too, and cosign's signatures, attestations and
  // SBOMs, which have tags made from digests.
  bool with_referrers = true;
};

// Writes the image's manifests and blobs into the layout; what is there is not fetched again. Calls `show` after each
// step. Returns the entries for the layout's index. Errors: those of ContentClient and LayoutWriter; kNotFound: the
// image, or a platform of it, or a blob does not exist; kFailedPrecondition: the image exceeds a bound above. A child
// or a referrer that the repository does not have is counted as absent.
absl::StatusOr<std::vector<LayoutEntry>> ExportImage(const ImageToExport& image, ContentClient* registry,
                                                     LayoutWriter* layout, ImageTransfer* transfer,
                                                     const std::function<void()>& show);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_TRANSFER_IMAGE_EXPORT_H_
