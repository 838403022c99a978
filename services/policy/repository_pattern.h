#ifndef ENTREPOT_SERVICES_POLICY_REPOSITORY_PATTERN_H_
#define ENTREPOT_SERVICES_POLICY_REPOSITORY_PATTERN_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot::policy {

class SegmentAutomaton;

// A set of repositories: a name in which `*` stands for any characters within a segment and a segment `**` for one or
// more segments. "driftwood/**" is all below driftwood, not driftwood itself; "**" is everything. Immutable.
class RepositoryPattern {
 public:
  // kInvalidArgument: it could match no repository ("A/b", "a//b", "a**"); the message says why.
  static absl::StatusOr<RepositoryPattern> Parse(absl::string_view text);

  // Of a repository's name. Linear in the lengths, whatever the pattern.
  bool Matches(absl::string_view repository) const;
  // What every repository that it matches begins with: "driftwood/".
  absl::string_view literal_prefix() const { return absl::string_view(text_).substr(0, prefix_bytes_); }
  // Whether it matches everything that begins with literal_prefix() and goes on: "driftwood/**", "**".
  bool is_subtree() const { return text_.size() == prefix_bytes_ + 2 && text_.back() == '*'; }
  const std::string& ToString() const { return text_; }

 private:
  RepositoryPattern(std::string text, size_t prefix_bytes, std::shared_ptr<const SegmentAutomaton> rest);

  std::string text_;
  size_t prefix_bytes_;
  // Of what follows the literal prefix; null where that is nothing.
  std::shared_ptr<const SegmentAutomaton> rest_;
};

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_REPOSITORY_PATTERN_H_
