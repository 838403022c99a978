#include "services/core/text/glob.h"

#include <cstring>

#include "absl/strings/match.h"

namespace entrepot {
namespace {

// Takes linear time, unlike string_view::find.
size_t Find(absl::string_view text, absl::string_view piece) {
  if (piece.empty()) return 0;
  if (text.empty()) return absl::string_view::npos;
  const void* const found = memmem(text.data(), text.size(), piece.data(), piece.size());
  if (found == nullptr) return absl::string_view::npos;
  return static_cast<const char*>(found) - text.data();
}

}  // namespace

bool GlobMatches(absl::string_view pattern, absl::string_view text) {
  const size_t first_star = pattern.find('*');
  if (first_star == absl::string_view::npos) return pattern == text;
  if (!absl::StartsWith(text, pattern.substr(0, first_star))) return false;
  text.remove_prefix(first_star);
  pattern.remove_prefix(first_star + 1);

  // The leftmost match of each piece leaves the most bytes for the later pieces, so no backtracking is needed.
  for (size_t star = pattern.find('*'); star != absl::string_view::npos; star = pattern.find('*')) {
    const size_t found = Find(text, pattern.substr(0, star));
    if (found == absl::string_view::npos) return false;
    text.remove_prefix(found + star);
    pattern.remove_prefix(star + 1);
  }
  return absl::EndsWith(text, pattern);
}

}  // namespace entrepot
