#ifndef ENTREPOT_SERVICES_POLICY_REPOSITORY_PATTERN_H_
#define ENTREPOT_SERVICES_POLICY_REPOSITORY_PATTERN_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot::policy {

// A set of repositories: a name in which `*` stands for any characters within a segment and a segment `**` for one or
// more segments. "driftwood/**" is all below driftwood, not driftwood itself; "**" is everything. Immutable.
class RepositoryPattern {
 public:
  // kInvalidArgument: it could match no repository ("A/b", "a//b", "a**"); the message says why.
  static absl::StatusOr<RepositoryPattern> Parse(absl::string_view text);

  // Linear in the lengths, whatever the pattern.
  bool Matches(absl::string_view repository) const;
  // What every repository that it matches begins with: "driftwood/".
  absl::string_view literal_prefix() const;
  const std::string& ToString() const { return text_; }

 private:
  explicit RepositoryPattern(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_REPOSITORY_PATTERN_H_
