#ifndef ENTREPOT_SERVICES_CORE_REPOSITORY_NAME_H_
#define ENTREPOT_SERVICES_CORE_REPOSITORY_NAME_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot {

// The name of a repository (OCI distribution specification, "Pulling manifests"). Immutable.
class RepositoryName {
 public:
  // Accepts segments of `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*` joined by `/`, at most 255 bytes in total. Anything else is
  // kInvalidArgument with the OCI code NAME_INVALID.
  static absl::StatusOr<RepositoryName> Parse(absl::string_view text);

  const std::string& ToString() const { return text_; }

  friend bool operator==(const RepositoryName& a, const RepositoryName& b) { return a.text_ == b.text_; }
  friend bool operator<(const RepositoryName& a, const RepositoryName& b) { return a.text_ < b.text_; }

 private:
  explicit RepositoryName(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_REPOSITORY_NAME_H_
