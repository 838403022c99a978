#ifndef ENTREPOT_SERVICES_CTL_TRANSFER_IMAGE_IMPORT_H_
#define ENTREPOT_SERVICES_CTL_TRANSFER_IMAGE_IMPORT_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/ctl/client/content_client.h"
#include "services/ctl/layout/layout_index.h"
#include "services/ctl/layout/layout_reader.h"
#include "services/ctl/output/transfer_text.h"

namespace entrepot::ctl {

// What is imported from a layout into one repository, in this order.
struct RepositoryImport {
  std::string repository;
  struct Image {
    LayoutEntry entry;
    // Empty: the manifest gets no tag.
    std::string tag;
  };
  std::vector<Image> images;
};

// Which entries of a layout go where. `repository` and `tag` may be empty. With `repository`, all entries go there;
// without it, those of each repository of the layout. With `tag`, the layout's only image gets it. kInvalidArgument: an
// entry has no repository and none is given, a name is invalid, or a tag is given and the layout has several images.
absl::StatusOr<std::vector<RepositoryImport>> PlanImport(const std::vector<LayoutEntry>& entries,
                                                         const std::string& repository, const std::string& tag);

// Sends an image to a repository: its blobs, its children, itself and its tag. What is there is not sent again. Calls
// `show` after each step. A child that neither the layout nor the repository has is counted as absent; the registry
// decides whether the index may be stored. Errors: those of ContentClient and LayoutReader; kDataLoss: the layout is
// damaged, and nothing of the damaged blob or manifest was stored; kFailedPrecondition: the layout does not have a
// blob, or exceeds the bounds of an export.
absl::Status ImportImage(const RepositoryImport::Image& image, LayoutReader* layout, ContentClient* registry,
                         ImageTransfer* transfer, const std::function<void()>& show);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_TRANSFER_IMAGE_IMPORT_H_
