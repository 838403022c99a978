#ifndef ENTREPOT_SERVICES_POLICY_SEGMENT_AUTOMATON_H_
#define ENTREPOT_SERVICES_POLICY_SEGMENT_AUTOMATON_H_

#include <bitset>
#include <cstddef>
#include <map>

#include "absl/strings/string_view.h"

namespace entrepot::policy {

// A pattern of segments as a nondeterministic automaton. All of its states advance at once, so that matching takes a
// few operations per byte of text, whatever the pattern. Bit i is set while the text that was read matches the first i
// steps. Immutable.
class SegmentAutomaton {
 public:
  static constexpr size_t kPatternBytesMax = 255;

  // `pattern` has at most kPatternBytesMax bytes. `**` stands for one or more bytes, any other `*` for zero or more
  // bytes other than `/`.
  explicit SegmentAutomaton(absl::string_view pattern);

  // Whether the pattern matches the whole text.
  bool Matches(absl::string_view text) const;

 private:
  using States = std::bitset<kPatternBytesMax + 1>;

  States SkipLoops(const States& states) const { return states | ((states & (in_segment_ | across_segments_)) << 1); }

  // By byte, the states that it advances to the next one.
  std::map<char, States> literals_;
  States any_byte_;
  // The states that a byte may leave unchanged, and that may be skipped: for `*` and `**`.
  States in_segment_;
  States across_segments_;
  size_t end_ = 0;
};

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_SEGMENT_AUTOMATON_H_
