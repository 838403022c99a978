#ifndef ENTREPOT_SERVICES_MANIFEST_FORMAT_TYPE_TEXT_H_
#define ENTREPOT_SERVICES_MANIFEST_FORMAT_TYPE_TEXT_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace entrepot::manifest {

// The maximum length of a type in bytes. A query can filter referrers by a type of this length: percent-encoded, it
// fits into a request target.
inline constexpr size_t kTypeBytesMax = 1024;

// Checks a type that the registry only stores and lists: the `artifactType` of a manifest, or the `mediaType` of a
// descriptor. Clients use more than RFC 6838 allows ("sbom", "application/vnd.x+json;version=0.3"), and nothing depends
// on the form. So a type is any text that is safe in a header field and in a list: at most kTypeBytesMax bytes of
// printable ASCII, with spaces only within parameters. MANIFEST_INVALID, with `field` as the detail, for other texts.
absl::Status CheckTypeText(absl::string_view field, absl::string_view text);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_FORMAT_TYPE_TEXT_H_
