#include "services/auth/admin/explanation.h"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/auth/accounts/permissions.h"
#include "services/auth/records/account_name.h"
#include "services/policy/rule.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {
namespace {

constexpr absl::string_view kAnonymous = "anonymous";

absl::Status CheckSubject(absl::string_view subject) {
  if (subject == kAnonymous || IsIdentityAccount(subject)) return absl::OkStatus();
  if (const auto robot = RobotNameOf(subject); robot.has_value()) return CheckRobotName(*robot);
  const absl::Status user = CheckUserName(subject);
  if (user.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(user.message(), "; a subject is an account, robot+NAME, or anonymous"));
}

absl::StatusOr<policy::Action> ParseAction(absl::string_view name) {
  const std::optional<policy::Action> action = policy::ActionByName(name);
  if (action.has_value()) return *action;
  return absl::InvalidArgumentError(absl::StrCat(QuotedInput(name), " is not an action: use pull, push or delete"));
}

// An expired robot may do nothing, whatever its scopes.
absl::StatusOr<bool> HasExpired(absl::string_view subject, const AccountDirectory& accounts) {
  if (!RobotNameOf(subject).has_value()) return false;
  ASSIGN_OR_RETURN(const Robots::Robot robot, accounts.FindRobot(subject));
  return accounts.IsExpired(robot);
}

void AddGroups(const policy::Policy& policy, const policy::Subject& subject, v1::Explanation* explanation) {
  const std::vector<std::string> of_file = policy.GroupsOf(subject.account);
  std::set<std::string> groups(of_file.begin(), of_file.end());
  groups.insert(subject.groups.begin(), subject.groups.end());
  explanation->mutable_groups()->Add(groups.begin(), groups.end());
}

}  // namespace

absl::StatusOr<v1::Explanation> ExplainAccess(const v1::Explain& question, const policy::Policy& policy,
                                              const AccountDirectory& accounts) {
  RETURN_IF_ERROR(CheckSubject(question.subject()));
  ASSIGN_OR_RETURN(const policy::Action action, ParseAction(question.action()));
  ASSIGN_OR_RETURN(const RepositoryName repository, RepositoryName::Parse(question.repository()));
  const std::string name = question.subject() == kAnonymous ? "" : question.subject();

  ASSIGN_OR_RETURN(const std::optional<Account> found, accounts.Find(name));
  ASSIGN_OR_RETURN(const Account account, accounts.FindOrAssume(name));
  ASSIGN_OR_RETURN(const bool expired, HasExpired(name, accounts));
  policy::Decision decision = Decide(policy, account, action, repository);
  if (expired) {
    decision = {.allowed = false, .reason = absl::StrCat(name, " has expired")};
  } else if (!name.empty() && !found.has_value()) {
    absl::StrAppend(&decision.reason, " (there is no account of that name)");
  }

  v1::Explanation explanation;
  explanation.set_allowed(decision.allowed);
  explanation.set_reason(decision.reason);
  AddGroups(policy, account.subject, &explanation);
  for (std::string& line : policy.tag_rules().Describe(account.subject, repository)) {
    explanation.add_tag_rules(std::move(line));
  }
  return explanation;
}

}  // namespace entrepot::auth
