#ifndef ENTREPOT_SERVICES_MANIFEST_FORMAT_JSON_FIELDS_H_
#define ENTREPOT_SERVICES_MANIFEST_FORMAT_JSON_FIELDS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "boost/json/object.hpp"
#include "boost/json/value.hpp"
#include "services/core/media_type.h"

namespace entrepot::manifest {

// MANIFEST_INVALID: "<field> <problem>", with the field as the detail.
absl::Status InvalidField(absl::string_view field, absl::string_view problem);

// A JSON object of a manifest, read field by field. null counts as absent, as it does for those who write manifests.
// Whatever is of another type than asked for is MANIFEST_INVALID. It refers to the object.
class JsonFields {
 public:
  // `path` is where the object stands, empty for the manifest itself.
  static absl::StatusOr<JsonFields> Of(absl::string_view path, const boost::json::value& value);

  // Readers that ignore the case of keys (Go's do) must not find under another key what others find under these.
  absl::Status RefuseOtherSpellings(absl::Span<const absl::string_view> names) const;

  // The path of a field: "layers[3].size".
  std::string Path(absl::string_view name) const;
  // Null where it is absent.
  const boost::json::value* Find(absl::string_view name) const;
  absl::StatusOr<const boost::json::array*> Array(absl::string_view name) const;
  absl::StatusOr<std::optional<std::string>> String(absl::string_view name) const;
  // Absent where empty.
  absl::StatusOr<std::optional<MediaType>> MediaTypeField(absl::string_view name) const;
  // From 0 to 2^63 - 1, written as an integer.
  absl::StatusOr<std::optional<uint64_t>> Unsigned(absl::string_view name) const;
  absl::StatusOr<std::map<std::string, std::string>> StringMap(absl::string_view name) const;

 private:
  JsonFields(std::string path, const boost::json::object* object) : path_(std::move(path)), object_(object) {}

  std::string path_;
  const boost::json::object* object_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_FORMAT_JSON_FIELDS_H_
