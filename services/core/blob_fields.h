#ifndef ENTREPOT_SERVICES_CORE_BLOB_FIELDS_H_
#define ENTREPOT_SERVICES_CORE_BLOB_FIELDS_H_

#include "absl/strings/string_view.h"

namespace entrepot {

// Fields of a response with a blob's bytes, also if another server sends it for the registry. A browser must not show
// what clients have pushed as a page of that server.
inline constexpr absl::string_view kBlobContentType = "application/octet-stream";
inline constexpr absl::string_view kBlobContentDisposition = "attachment";

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_BLOB_FIELDS_H_
