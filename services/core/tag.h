#ifndef ENTREPOT_SERVICES_CORE_TAG_H_
#define ENTREPOT_SERVICES_CORE_TAG_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot {

// A tag (OCI distribution specification, "Pulling manifests"). Immutable.
class Tag {
 public:
  // Accepts `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`. Anything else is kInvalidArgument with the OCI code TAG_INVALID.
  static absl::StatusOr<Tag> Parse(absl::string_view text);

  const std::string& ToString() const { return text_; }

  friend bool operator==(const Tag& a, const Tag& b) { return a.text_ == b.text_; }
  friend bool operator<(const Tag& a, const Tag& b) { return a.text_ < b.text_; }

 private:
  explicit Tag(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TAG_H_
