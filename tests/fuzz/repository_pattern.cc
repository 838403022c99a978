#include "services/policy/repository_pattern.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "services/core/repository_name.h"
#include "tests/fuzz/error_properties.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::RepositoryName;
using entrepot::policy::RepositoryPattern;

namespace {

using Row = std::vector<bool>;

// A textbook implementation by dynamic programming: cell (i, j) is whether pattern[i:] matches text[j:].
bool SegmentMatches(absl::string_view pattern, absl::string_view text) {
  Row next(text.size() + 1, false);
  next[text.size()] = true;
  for (size_t i = pattern.size(); i-- > 0;) {
    Row row(text.size() + 1, false);
    for (size_t j = text.size() + 1; j-- > 0;) {
      const bool more = j < text.size();
      row[j] = pattern[i] == '*' ? next[j] || (more && row[j + 1]) : more && pattern[i] == text[j] && next[j + 1];
    }
    next = row;
  }
  return next[0];
}

bool Matches(const std::vector<std::string>& pattern, const std::vector<std::string>& name) {
  Row next(name.size() + 1, false);
  next[name.size()] = true;
  for (size_t i = pattern.size(); i-- > 0;) {
    Row row(name.size() + 1, false);
    for (size_t j = name.size(); j-- > 0;) {
      row[j] = pattern[i] == "**" ? next[j + 1] || row[j + 1] : next[j + 1] && SegmentMatches(pattern[i], name[j]);
    }
    next = row;
  }
  return next[0];
}

}  // namespace

// The input: a pattern, and a name on the second line.
FUZZ_TARGET(input) {
  const size_t end = std::min(input.find('\n'), input.size());
  const absl::string_view text = input.substr(0, end);
  const auto pattern = RepositoryPattern::Parse(text);
  if (!pattern.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(pattern.status()));
    entrepot::fuzz::CheckMessage(pattern.status());
    // Every name is a pattern.
    FUZZ_CHECK(!RepositoryName::Parse(text).ok());
    return;
  }
  FUZZ_CHECK(pattern->ToString() == text);
  FUZZ_CHECK(absl::StartsWith(text, pattern->literal_prefix()));
  if (end == input.size()) return;
  const auto name = RepositoryName::Parse(input.substr(end + 1));
  if (!name.ok()) return;
  const bool matches = pattern->Matches(name->ToString());
  FUZZ_CHECK(matches == Matches(absl::StrSplit(text, '/'), absl::StrSplit(name->ToString(), '/')));
  FUZZ_CHECK(!matches || absl::StartsWith(name->ToString(), pattern->literal_prefix()));
  if (pattern->is_subtree()) {
    FUZZ_CHECK(matches == (absl::StartsWith(name->ToString(), pattern->literal_prefix()) &&
                           name->ToString() != pattern->literal_prefix()));
  }
}
