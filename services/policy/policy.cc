#include "services/policy/policy.h"

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/policy/policy_checks.h"
#include "services/policy/rule.h"
#include "services/runtime/config/config_loader.h"
#include "services/runtime/config/config_problems.h"
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

std::vector<absl::string_view> FieldsThatNeedAccounts(const config::v1::Policy& file) {
  std::vector<absl::string_view> fields;
  if (!file.administrators().empty()) fields.emplace_back("administrators");
  if (!file.groups().empty()) fields.emplace_back("groups");
  if (!file.rules().empty()) fields.emplace_back("rules");
  if (!file.create_only_tags().empty()) fields.emplace_back("create_only_tags");
  if (!file.identity_providers().empty()) fields.emplace_back("identity_providers");
  return fields;
}

bool AnyMatches(const std::vector<RepositoryPattern>& patterns, const RepositoryName& repository) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const RepositoryPattern& pattern) { return pattern.Matches(repository.ToString()); });
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Policy>> Policy::Parse(absl::string_view yaml_text, absl::string_view file_name) {
  return Read(yaml_text, file_name, CheckPolicy);
}

absl::StatusOr<std::shared_ptr<const Policy>> Policy::ParseWithoutAccounts(absl::string_view yaml_text,
                                                                           absl::string_view file_name) {
  return Read(yaml_text, file_name, [](const config::v1::Policy& file, runtime::ConfigProblems* problems) {
    CheckPolicy(file, problems);
    for (const absl::string_view field : FieldsThatNeedAccounts(file)) {
      problems->Add(field, "needs accounts, and the registry has none: set authentication");
    }
  });
}

absl::StatusOr<std::shared_ptr<const Policy>> Policy::Read(absl::string_view yaml_text, absl::string_view file_name,
                                                           Check check) {
  InspectedPolicy read = Inspect(yaml_text, file_name, check);
  RETURN_IF_ERROR(read.status);
  return std::shared_ptr<const Policy>(
      absl::WrapUnique(new Policy(std::move(read.file), file_name, std::move(read.mentions))));
}

InspectedPolicy Policy::Inspect(absl::string_view yaml_text, absl::string_view file_name) {
  return Inspect(yaml_text, file_name, CheckPolicy);
}

InspectedPolicy Policy::Inspect(absl::string_view yaml_text, absl::string_view file_name, Check check) {
  InspectedPolicy read;
  runtime::ConfigProblems problems;
  read.status = runtime::ParseConfig(yaml_text, file_name, &read.file, &problems);
  if (!read.status.ok()) return read;
  check(read.file, &problems);
  read.status = problems.ToStatus(file_name);
  read.mentions = MentionsIn(read.file, file_name, problems);
  return read;
}

Policy::Policy(config::v1::Policy file, absl::string_view file_name, std::vector<Mention> mentions)
    : file_(std::move(file)),
      file_name_(file_name),
      mentions_(std::move(mentions)),
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

bool Policy::NeedsAccounts() const { return !FieldsThatNeedAccounts(file_).empty(); }

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
  return {.allowed = false, .reason = WhyDenied(subject, repository)};
}

std::string Policy::WhyDenied(const Subject& subject, const RepositoryName& repository) const {
  absl::flat_hash_set<Action> allowed;
  std::vector<std::string> rules;  // The first one that allows each action.
  for (const Rule& rule : rules_) {
    if (!AnyMatches(rule.repositories, repository) || !rule.subjects.Contains(subject, *membership_)) continue;
    std::vector<absl::string_view> added;
    for (const Action action : {Action::kPull, Action::kPush, Action::kDelete}) {
      if (rule.actions.contains(action) && allowed.insert(action).second) added.push_back(ActionName(action));
    }
    if (added.empty()) continue;
    rules.push_back(
        absl::StrCat(rule.description, rules.empty() ? " allows only " : " only ", absl::StrJoin(added, " and ")));
  }
  return rules.empty() ? absl::StrCat("no rule of ", file_name_, " allows it") : absl::StrJoin(rules, ", ");
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
