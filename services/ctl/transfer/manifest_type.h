#ifndef ENTREPOT_SERVICES_CTL_TRANSFER_MANIFEST_TYPE_H_
#define ENTREPOT_SERVICES_CTL_TRANSFER_MANIFEST_TYPE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace entrepot::ctl {

// The media type of a manifest: its member mediaType, or `stated`, or by its members an image or an index of OCI.
std::string MediaTypeOfManifest(absl::string_view content, const std::string& stated);
// Its member artifactType; empty if it has none.
std::string ArtifactTypeOfManifest(absl::string_view content);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_TRANSFER_MANIFEST_TYPE_H_
