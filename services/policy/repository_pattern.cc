#include "services/policy/repository_pattern.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "services/core/repository_name.h"
#include "services/policy/segment_automaton.h"
#include "services/status/quoted_input.h"

namespace entrepot::policy {
namespace {

// Why the pattern matches no valid name; null if it could match one.
const char* WhyNothingMatches(absl::string_view text) {
  if (text.empty()) return "it is empty";
  if (text.size() > SegmentAutomaton::kPatternBytesMax) return "it is longer than 255 bytes";
  std::string sample;
  for (const absl::string_view segment : absl::StrSplit(text, '/')) {
    if (segment.empty()) return "it begins or ends with a '/', or has two in a row";
    const bool is_any = segment == "**";
    if (!is_any && absl::StrContains(segment, "**")) return "'**' stands for whole segments: put '/' around it";
    // If any text in place of the stars makes a valid name, a zero does: a letter or digit may be next to any character
    // of a name.
    absl::StrAppend(&sample, sample.empty() ? "" : "/",
                    is_any ? "0" : absl::StrReplaceAll(segment, {{absl::string_view("*"), absl::string_view("0")}}));
  }
  if (RepositoryName::Parse(sample).ok()) return nullptr;
  return "names are segments of lower-case letters and digits, separated by '.', '_', '__' or '-', joined by '/'";
}

}  // namespace

RepositoryPattern::RepositoryPattern(std::string text, size_t prefix_bytes,
                                     std::shared_ptr<const SegmentAutomaton> rest)
    : text_(std::move(text)), prefix_bytes_(prefix_bytes), rest_(std::move(rest)) {}

absl::StatusOr<RepositoryPattern> RepositoryPattern::Parse(absl::string_view text) {
  if (const char* const why = WhyNothingMatches(text); why != nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(QuotedInput(text), " matches no repository: ", why));
  }
  const size_t prefix_bytes = std::min(text.find('*'), text.size());
  std::shared_ptr<const SegmentAutomaton> rest;
  if (prefix_bytes < text.size()) rest = std::make_shared<SegmentAutomaton>(text.substr(prefix_bytes));
  return RepositoryPattern(std::string(text), prefix_bytes, std::move(rest));
}

bool RepositoryPattern::Matches(absl::string_view repository) const {
  if (!absl::StartsWith(repository, literal_prefix())) return false;
  const absl::string_view behind = repository.substr(prefix_bytes_);
  if (rest_ == nullptr) return behind.empty();
  return is_subtree() ? !behind.empty() : rest_->Matches(behind);
}

}  // namespace entrepot::policy
