#include "services/policy/segment_automaton.h"

namespace entrepot::policy {

SegmentAutomaton::SegmentAutomaton(absl::string_view pattern) {
  for (size_t i = 0; i < pattern.size(); ++i, ++end_) {
    if (pattern[i] != '*') {
      literals_[pattern[i]].set(end_);
    } else if (i + 1 < pattern.size() && pattern[i + 1] == '*') {
      any_byte_.set(end_++);
      across_segments_.set(end_);
      ++i;
    } else {
      in_segment_.set(end_);
    }
  }
}

bool SegmentAutomaton::Matches(absl::string_view text) const {
  States states = SkipLoops(States(1));
  for (const char c : text) {
    States leave = any_byte_;
    if (const auto literal = literals_.find(c); literal != literals_.end()) leave |= literal->second;
    const States stay = c == '/' ? across_segments_ : in_segment_ | across_segments_;
    states = SkipLoops(((states & leave) << 1) | (states & stay));
    if (states.none()) return false;
  }
  return states[end_];
}

}  // namespace entrepot::policy
