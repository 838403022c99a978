#include "services/runtime/config/config_problems.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace entrepot::runtime {
namespace {

constexpr size_t kShownProblemsMax = 100;
// A file of 1 MiB may have half a million mistakes.
constexpr size_t kKeptProblemsMax = 1000;

std::string Place(absl::string_view file_name, int line) {
  return line == 0 ? std::string(file_name) : absl::StrCat(file_name, ":", line);
}

std::string WithField(absl::string_view field, absl::string_view text) {
  return field.empty() ? std::string(text) : absl::StrCat(field, ": ", text);
}

// The value of the map's key, or null.
const YamlNode* ValueOf(const YamlNode& map, absl::string_view key, int* line) {
  if (map.kind != YamlNode::Kind::kMap) return nullptr;
  for (size_t i = 0; i + 1 < map.items.size(); i += 2) {
    if (map.items[i].text != key) continue;
    *line = map.items[i].line;
    return &map.items[i + 1];
  }
  return nullptr;
}

const YamlNode* ItemOf(const YamlNode& list, absl::string_view index, int* line) {
  size_t i = 0;
  if (list.kind != YamlNode::Kind::kList || !absl::SimpleAtoi(index, &i) || i >= list.items.size()) return nullptr;
  *line = list.items[i].line;
  return &list.items[i];
}

}  // namespace

void ConfigProblems::AddUnreadable(int line, absl::string_view field, absl::string_view problem) {
  unreadable_.insert(std::string(field));
  for (size_t at = field.find_first_of(".["); at != absl::string_view::npos; at = field.find_first_of(".[", at + 1)) {
    with_unreadable_.insert(std::string(field.substr(0, at + 1)));
  }
  Keep(line, field, problem);
}

bool ConfigProblems::IsUnreadable(absl::string_view field) const {
  return unreadable_.contains(field) || with_unreadable_.contains(absl::StrCat(field, ".")) ||
         with_unreadable_.contains(absl::StrCat(field, "["));
}

void ConfigProblems::Add(absl::string_view field, absl::string_view problem) {
  const Found found = Find(field);
  if (unreadable_.contains(found.field)) return;
  // A message that lacks a field: the field may be there, and unreadable.
  if (found.field == field && with_unreadable_.contains(absl::StrCat(field, "."))) return;
  Keep(found.line, field, problem);
}

void ConfigProblems::Keep(int line, absl::string_view field, absl::string_view problem) {
  if (problems_.size() == kKeptProblemsMax) {
    ++more_;
  } else {
    problems_.push_back({line, WithField(field, problem)});
  }
}

void ConfigProblems::AddLines(absl::string_view field, const absl::Status& status) {
  for (const absl::string_view line : absl::StrSplit(status.message(), '\n', absl::SkipEmpty())) Add(field, line);
}

void ConfigProblems::Warn(absl::string_view field, absl::string_view warning) {
  warnings_.push_back(WithField(field, warning));
}

std::vector<std::string> ConfigProblems::lines() const {
  std::vector<std::string> lines;
  for (const Problem& problem : problems_) lines.push_back(problem.text);
  return lines;
}

std::vector<std::string> ConfigProblems::LinesOf(absl::string_view file_name) const {
  std::vector<Problem> sorted = problems_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) { return a.line < b.line; });
  std::vector<std::string> lines;
  for (const Problem& problem : sorted) {
    lines.push_back(absl::StrCat(Place(file_name, problem.line), ": ", problem.text));
  }
  return lines;
}

absl::Status ConfigProblems::ToStatus(absl::string_view file_name) const {
  if (empty()) return absl::OkStatus();
  std::vector<std::string> shown = LinesOf(file_name);
  const size_t all = shown.size() + more_;
  if (all > kShownProblemsMax) {
    shown.resize(kShownProblemsMax);
    shown.push_back(absl::StrCat(file_name, ": and ", all - kShownProblemsMax, " more problems"));
  }
  return absl::InvalidArgumentError(absl::StrJoin(shown, "\n"));
}

std::string ConfigProblems::PlaceOf(absl::string_view file_name, absl::string_view field) const {
  return WithField(Place(file_name, Find(field).line), field);
}

ConfigProblems::Found ConfigProblems::Find(absl::string_view field) const {
  if (!file_.has_value()) return {field, 0};
  const YamlNode* node = &*file_;
  Found found{field.substr(0, 0), 0};
  // "rules[2].actions[0]": names are followed by a dot, an index or the end, indices end with a bracket.
  size_t at = 0;
  while (at < field.size()) {
    const bool index = field[at] == '[';
    const size_t begin = index || field[at] == '.' ? at + 1 : at;
    const size_t end = std::min(field.find_first_of(index ? "]" : ".[", begin), field.size());
    const absl::string_view step = field.substr(begin, end - begin);
    node = index ? ItemOf(*node, step, &found.line) : ValueOf(*node, step, &found.line);
    if (node == nullptr) break;
    at = std::min(index ? end + 1 : end, field.size());
    found.field = field.substr(0, at);
  }
  return found;
}

}  // namespace entrepot::runtime
