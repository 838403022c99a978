#ifndef ENTREPOT_SERVICES_POLICY_SEGMENT_AUTOMATON_H_
#define ENTREPOT_SERVICES_POLICY_SEGMENT_AUTOMATON_H_

#include <bitset>
#include <cstddef>
#include <map>

#include "absl/strings/string_view.h"

namespace entrepot::policy {

// A pattern of segments as a nondeterministic automaton, all of whose states advance at once, so that matching takes a
// few operations a byte of text, whatever the pattern: bit i is set while what was read so far is what the first i
// steps stand for. Immutable.
class SegmentAutomaton {
 public:
  static constexpr size_t kPatternBytesMax = 255;

  // `pattern`: at most kPatternBytesMax bytes; `**` any bytes, at least one; any other `*` any bytes but `/`, also
  // none.
  explicit SegmentAutomaton(absl::string_view pattern);

  // Whether the whole of the text is as the pattern says.
  bool Matches(absl::string_view text) const;

 private:
  using States = std::bitset<kPatternBytesMax + 1>;

  States SkipLoops(const States& states) const { return states | ((states & (in_segment_ | across_segments_)) << 1); }

  // The states from which a byte leads on to the next one.
  std::map<char, States> literals_;
  States any_byte_;
  // The states that stay at a byte, and need none to lead on.
  States in_segment_;
  States across_segments_;
  size_t end_ = 0;
};

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_SEGMENT_AUTOMATON_H_
