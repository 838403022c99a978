#ifndef ENTREPOT_SERVICES_MANIFEST_FORMAT_DESCRIPTOR_H_
#define ENTREPOT_SERVICES_MANIFEST_FORMAT_DESCRIPTOR_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "boost/json/value.hpp"
#include "services/core/digest.h"
#include "services/core/media_type.h"

namespace entrepot::manifest {

// What the registry reads of a content descriptor (OCI image specification, "Content Descriptors").
struct Descriptor {
  // Where in the manifest it stands: "layers[3]".
  std::string field;
  MediaType media_type;
  Digest digest;
  // At most 2^63 - 1.
  uint64_t size_bytes = 0;
  // The content itself, decoded; not yet held against digest and size.
  std::optional<std::string> data;
  // The content can be had elsewhere.
  bool has_urls = false;
};

// MANIFEST_INVALID, naming `field` and what is wrong there. Fields it does not know are ignored.
absl::StatusOr<Descriptor> ParseDescriptor(absl::string_view field, const boost::json::value& value);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_FORMAT_DESCRIPTOR_H_
