#ifndef ENTREPOT_SERVICES_MANIFEST_FORMAT_DESCRIPTOR_H_
#define ENTREPOT_SERVICES_MANIFEST_FORMAT_DESCRIPTOR_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "boost/json/value.hpp"
#include "services/core/digest.h"

namespace entrepot::manifest {

// The fields of a content descriptor that the registry uses (OCI image specification, "Content Descriptors").
struct Descriptor {
  // Its path in the manifest, like "layers[3]".
  std::string field;
  // As the manifest has it; not yet checked.
  std::string media_type;
  Digest digest;
  // At most 2^63 - 1.
  uint64_t size_bytes = 0;
  // The content itself, decoded; not yet compared with the digest and the size.
  std::optional<std::string> data;
  // Whether the content can be downloaded elsewhere.
  bool has_urls = false;
};

// MANIFEST_INVALID: the descriptor is invalid; the message names `field` and the problem. Unknown fields are ignored.
absl::StatusOr<Descriptor> ParseDescriptor(absl::string_view field, const boost::json::value& value);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_FORMAT_DESCRIPTOR_H_
