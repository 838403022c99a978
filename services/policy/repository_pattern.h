#ifndef ENTREPOT_SERVICES_POLICY_REPOSITORY_PATTERN_H_
#define ENTREPOT_SERVICES_POLICY_REPOSITORY_PATTERN_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot::policy {

class SegmentAutomaton;

// A pattern of repository names. `*` stands for any characters within a segment, and a segment `**` for one or more
// segments. "driftwood/**" matches everything below driftwood but not driftwood itself; "**" matches everything.
// Immutable.
class RepositoryPattern {
 public:
  // kInvalidArgument: the pattern could not match any repository ("A/b", "a//b", "a**"); the message gives the reason.
  static absl::StatusOr<RepositoryPattern> Parse(absl::string_view text);

  // Takes time linear in the lengths of the name and the pattern.
  bool Matches(absl::string_view repository) const;
  // The prefix of every name that it matches: "driftwood/".
  absl::string_view literal_prefix() const { return absl::string_view(text_).substr(0, prefix_bytes_); }
  // Whether it matches every name that is longer than literal_prefix() and begins with it: "driftwood/**", "**".
  bool is_subtree() const { return text_.size() == prefix_bytes_ + 2 && text_.back() == '*'; }
  const std::string& ToString() const { return text_; }

 private:
  RepositoryPattern(std::string text, size_t prefix_bytes, std::shared_ptr<const SegmentAutomaton> rest);

  std::string text_;
  size_t prefix_bytes_;
  // Matches what follows the literal prefix. Null if nothing follows it.
  std::shared_ptr<const SegmentAutomaton> rest_;
};

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_REPOSITORY_PATTERN_H_
