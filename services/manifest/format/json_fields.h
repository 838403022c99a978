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

namespace entrepot::manifest {

// The error MANIFEST_INVALID with the message "<field> <problem>" and the field as its detail.
absl::Status InvalidField(absl::string_view field, absl::string_view problem);

// Reads the fields of a JSON object of a manifest. null counts as absent, as it does for the programs that write
// manifests. A field of another type than requested is MANIFEST_INVALID. The object must outlive the JsonFields.
class JsonFields {
 public:
  // `path` is the path of the object; empty for the manifest itself.
  static absl::StatusOr<JsonFields> Of(absl::string_view path, const boost::json::value& value);

  // MANIFEST_INVALID if a key differs from one of `names` only in case: readers that ignore case (like those in Go)
  // would read another value than readers that do not.
  absl::Status RefuseOtherSpellings(absl::Span<const absl::string_view> names) const;

  // The path of a field: "layers[3].size".
  std::string Path(absl::string_view name) const;
  // Null if the field is absent.
  const boost::json::value* Find(absl::string_view name) const;
  absl::StatusOr<const boost::json::array*> Array(absl::string_view name) const;
  absl::StatusOr<std::optional<std::string>> String(absl::string_view name) const;
  // An empty string counts as absent.
  absl::StatusOr<std::optional<std::string>> NonEmptyString(absl::string_view name) const;
  // An integer from 0 to 2^63 - 1.
  absl::StatusOr<std::optional<uint64_t>> Unsigned(absl::string_view name) const;
  absl::StatusOr<std::map<std::string, std::string>> StringMap(absl::string_view name) const;

 private:
  JsonFields(std::string path, const boost::json::object* object) : path_(std::move(path)), object_(object) {}

  std::string path_;
  const boost::json::object* object_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_FORMAT_JSON_FIELDS_H_
