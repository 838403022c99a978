#include "services/policy/tag_rules.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/core/text/glob.h"
#include "services/policy/rule.h"

namespace entrepot::policy {

TagRules::TagRules(const config::v1::Policy& file, absl::string_view file_name,
                   std::shared_ptr<const GroupMembership> membership)
    : membership_(std::move(membership)),
      immutable_(Read(file.immutable_tags(), "immutable_tags", file_name)),
      create_only_(Read(file.create_only_tags(), "create_only_tags", file_name)) {}

std::vector<TagRules::Rule> TagRules::Read(const FileRules& rules, absl::string_view list,
                                           absl::string_view file_name) {
  std::vector<Rule> read;
  for (const config::v1::Policy::TagRule& rule : rules) {
    Rule& added = read.emplace_back();
    added.description = DescribeRule(list, read.size(), rule.name(), file_name);
    for (const std::string& subject : rule.subjects()) added.subjects.Add(subject);
    for (const std::string& pattern : rule.repositories()) {
      added.repositories.push_back(RepositoryPattern::Parse(pattern).value());
    }
    added.tags.assign(rule.tags().begin(), rule.tags().end());
  }
  return read;
}

bool TagRules::Covers(const Rule& rule, const RepositoryName& repository) {
  return std::any_of(rule.repositories.begin(), rule.repositories.end(),
                     [&](const RepositoryPattern& pattern) { return pattern.Matches(repository.ToString()); });
}

bool TagRules::Covers(const Rule& rule, const RepositoryName& repository, const Tag& tag) {
  return Covers(rule, repository) && std::any_of(rule.tags.begin(), rule.tags.end(), [&](const std::string& pattern) {
           return GlobMatches(pattern, tag.ToString());
         });
}

std::optional<std::string> TagRules::Immutable(const RepositoryName& repository, const Tag& tag) const {
  for (const Rule& rule : immutable_) {
    if (Covers(rule, repository, tag)) return rule.description;
  }
  return std::nullopt;
}

std::optional<std::string> TagRules::CreateOnly(const Subject& subject, const RepositoryName& repository,
                                                const Tag& tag) const {
  if (create_only_.empty()) return std::nullopt;
  for (const Rule& rule : create_only_) {
    if (Covers(rule, repository, tag) && rule.subjects.Contains(subject, *membership_)) return rule.description;
  }
  return std::nullopt;
}

bool TagRules::MayForbid(const Subject& subject, const RepositoryName& repository) const {
  const auto covers = [&](const Rule& rule) { return Covers(rule, repository); };
  const auto applies = [&](const Rule& rule) { return covers(rule) && rule.subjects.Contains(subject, *membership_); };
  return std::any_of(immutable_.begin(), immutable_.end(), covers) ||
         std::any_of(create_only_.begin(), create_only_.end(), applies);
}

bool TagRules::MayForbidAny(const RepositoryName& repository) const {
  const auto covers = [&](const Rule& rule) { return Covers(rule, repository); };
  return std::any_of(immutable_.begin(), immutable_.end(), covers) ||
         std::any_of(create_only_.begin(), create_only_.end(), covers);
}

std::vector<std::string> TagRules::Describe(const Subject& subject, const RepositoryName& repository) const {
  std::vector<std::string> lines;
  const auto add = [&](const Rule& rule) {
    lines.push_back(absl::StrCat(rule.description, ": ", absl::StrJoin(rule.tags, ", ")));
  };
  for (const Rule& rule : immutable_) {
    if (Covers(rule, repository)) add(rule);
  }
  for (const Rule& rule : create_only_) {
    if (Covers(rule, repository) && rule.subjects.Contains(subject, *membership_)) add(rule);
  }
  return lines;
}

}  // namespace entrepot::policy
