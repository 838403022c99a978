#include "services/policy/policy.h"

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "services/policy/policy_checks.h"
#include "services/policy/rule.h"
#include "services/runtime/config/config_checks.h"
#include "services/runtime/config/config_loader.h"
#include "services/status/status_macros.h"

namespace entrepot::policy {
namespace {

std::shared_ptr<const GroupMembership> ReadGroups(const config::v1::Policy& file) {
  auto membership = std::make_shared<GroupMembership>();
  for (const config::v1::Policy::Group& group : file.groups()) {
    for (const std::string& member : group.members()) (*membership)[member].insert(group.name());
  }
  return membership;
}

bool AnyMatches(const std::vector<RepositoryPattern>& patterns, const RepositoryName& repository) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const RepositoryPattern& pattern) { return pattern.Matches(repository.ToString()); });
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Policy>> Policy::Parse(absl::string_view yaml_text, absl::string_view file_name) {
  config::v1::Policy file;
  RETURN_IF_ERROR(runtime::ParseConfig(yaml_text, file_name, &file));
  runtime::ConfigProblems problems;
  CheckPolicy(file, &problems);
  RETURN_IF_ERROR(problems.ToStatus(file_name));
  return std::shared_ptr<const Policy>(absl::WrapUnique(new Policy(std::move(file), file_name)));
}

absl::StatusOr<std::shared_ptr<const Policy>> Policy::ParseWithoutAccounts(absl::string_view yaml_text,
                                                                           absl::string_view file_name) {
  ASSIGN_OR_RETURN(std::shared_ptr<const Policy> policy, Parse(yaml_text, file_name));
  runtime::ConfigProblems problems;
  const auto refuse = [&](absl::string_view field, bool present) {
    if (present) problems.Add(field, "needs accounts, and the registry has none: set authentication");
  };
  refuse("administrators", !policy->file().administrators().empty());
  refuse("groups", !policy->file().groups().empty());
  refuse("rules", !policy->file().rules().empty());
  refuse("create_only_tags", !policy->file().create_only_tags().empty());
  refuse("identity_providers", !policy->file().identity_providers().empty());
  RETURN_IF_ERROR(problems.ToStatus(file_name));
  return policy;
}

Policy::Policy(config::v1::Policy file, absl::string_view file_name)
    : file_(std::move(file)),
      file_name_(file_name),
      membership_(ReadGroups(file_)),
      tag_rules_(file_, file_name, membership_),
      incomplete_manifests_(file_) {
  for (const std::string& subject : file_.administrators()) administrators_.Add(subject);
  for (const config::v1::Policy::Rule& rule : file_.rules()) {
    rules_.push_back(ReadRule(rule, DescribeRule("rules", rules_.size() + 1, rule.name(), file_name)));
  }
}

Policy::Rule Policy::ReadRule(const config::v1::Policy::Rule& rule, std::string description) {
  Rule read;
  read.description = std::move(description);
  for (const std::string& subject : rule.subjects()) read.subjects.Add(subject);
  for (const std::string& pattern : rule.repositories()) {
    read.repositories.push_back(RepositoryPattern::Parse(pattern).value());
  }
  for (const Action action : {Action::kPull, Action::kPush, Action::kDelete}) {
    const auto allows = [&](const std::string& name) { return name == "*" || name == ActionName(action); };
    if (std::any_of(rule.actions().begin(), rule.actions().end(), allows)) read.actions.insert(action);
  }
  return read;
}

bool Policy::IsAdministrator(const Subject& subject) const { return administrators_.Contains(subject, *membership_); }

Decision Policy::Decide(const Subject& subject, Action action, const RepositoryName& repository) const {
  if (IsAdministrator(subject)) {
    return {.allowed = true, .reason = absl::StrCat("administrators of ", file_name_, " may do everything")};
  }
  for (const Rule& rule : rules_) {
    if (rule.actions.contains(action) && AnyMatches(rule.repositories, repository) &&
        rule.subjects.Contains(subject, *membership_)) {
      return {.allowed = true, .reason = absl::StrCat(rule.description, " allows it")};
    }
  }
  return {.allowed = false, .reason = absl::StrCat("no rule of ", file_name_, " allows it")};
}

std::vector<RepositoryPattern> Policy::ReadableRepositories(const Subject& subject) const {
  if (IsAdministrator(subject)) return {RepositoryPattern::Parse("**").value()};
  std::vector<RepositoryPattern> readable;
  absl::flat_hash_set<std::string> seen;
  for (const Rule& rule : rules_) {
    if (!rule.actions.contains(Action::kPull) || !rule.subjects.Contains(subject, *membership_)) continue;
    for (const RepositoryPattern& pattern : rule.repositories) {
      if (seen.insert(pattern.ToString()).second) readable.push_back(pattern);
    }
  }
  return readable;
}

std::vector<std::string> Policy::GroupsOf(absl::string_view account) const {
  const auto found = membership_->find(account);
  if (found == membership_->end()) return {};
  std::vector<std::string> groups(found->second.begin(), found->second.end());
  std::sort(groups.begin(), groups.end());
  return groups;
}

}  // namespace entrepot::policy
