#ifndef ENTREPOT_SERVICES_CTL_LAYOUT_LAYOUT_INDEX_H_
#define ENTREPOT_SERVICES_CTL_LAYOUT_LAYOUT_INDEX_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/core/digest.h"

// The files of an OCI image layout (image specification, "Image layout") but its blobs.
namespace entrepot::ctl {

inline constexpr char kLayoutMarkerName[] = "oci-layout";
inline constexpr char kLayoutMarker[] = R"({"imageLayoutVersion":"1.0.0"})";
inline constexpr char kLayoutIndexName[] = "index.json";

// "blobs/sha256/<hex>"
std::string LayoutBlobPath(const Digest& digest);

// A manifest that the index of the layout names.
struct LayoutEntry {
  std::string media_type;
  Digest digest;
  uint64_t size_bytes = 0;
  // The annotation org.opencontainers.image.ref.name; may be empty.
  std::string tag = {};
  // The annotation io.entrepot.repository, which `entrepotctl export` writes; may be empty.
  std::string repository = {};
  // Of a referrer; may be empty.
  std::string artifact_type = {};
};

// kInvalidArgument: the text is not an index.
absl::StatusOr<std::vector<LayoutEntry>> ParseLayoutIndex(absl::string_view text);

// `text`, an index or nothing, with these entries added. An entry of the same tag and repository is replaced, and so is
// one of the same digest and repository without a tag. Everything else in `text` stays. Errors are those of
// ParseLayoutIndex().
absl::StatusOr<std::string> WithLayoutEntries(absl::string_view text, const std::vector<LayoutEntry>& entries);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_LAYOUT_LAYOUT_INDEX_H_
