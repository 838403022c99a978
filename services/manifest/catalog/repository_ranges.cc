#include "services/manifest/catalog/repository_ranges.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"

namespace entrepot::manifest {

std::vector<RepositoryRange> RangesOf(const std::vector<policy::RepositoryPattern>& patterns) {
  std::vector<RepositoryRange> ranges;
  for (const policy::RepositoryPattern& pattern : patterns) {
    const absl::string_view prefix = pattern.literal_prefix();
    ranges.push_back({.text = std::string(prefix), .is_prefix = prefix != pattern.ToString()});
  }
  // A range is sorted directly before the ranges within it.
  std::sort(ranges.begin(), ranges.end(), [](const RepositoryRange& a, const RepositoryRange& b) {
    return a.text != b.text ? a.text < b.text : a.is_prefix > b.is_prefix;
  });
  std::vector<RepositoryRange> outermost;
  const RepositoryRange* within = nullptr;
  for (RepositoryRange& range : ranges) {
    if (within != nullptr && absl::StartsWith(range.text, within->text)) continue;
    if (!outermost.empty() && outermost.back() == range) continue;
    if (range.is_prefix) within = &range;
    outermost.push_back(range);
  }
  return outermost;
}

}  // namespace entrepot::manifest
