#include "services/auth/admin/group_admin.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/auth/records/account_name.h"
#include "services/policy/subject.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {
namespace {

absl::Status CheckMember(absl::string_view account) {
  if (!policy::IsMachine(account)) return CheckUserName(account);
  return absl::InvalidArgumentError(absl::StrCat(
      QuotedInput(account), " cannot be in a group: robots have scopes, workload identities have claim rules"));
}

}  // namespace

absl::StatusOr<v1::Groups> GroupAdmin::List(const policy::Policy& policy) {
  std::map<std::string, v1::Groups::Group> groups;
  ASSIGN_OR_RETURN(const auto stored, accounts_.memberships().All());
  for (const auto& [name, members] : stored) groups[name].mutable_members()->Add(members.begin(), members.end());
  for (const auto& group : policy.file().groups()) *groups[group.name()].mutable_members_from_file() = group.members();
  v1::Groups answer;
  for (auto& [name, group] : groups) {
    group.set_name(name);
    *answer.add_groups() = group;
  }
  return answer;
}

absl::Status GroupAdmin::Add(const v1::AddToGroup& command, absl::string_view added_by) {
  RETURN_IF_ERROR(CheckGroupName(command.group()));
  RETURN_IF_ERROR(CheckMember(command.account()));
  return accounts_.AddToGroup(command.group(), command.account(), added_by);
}

absl::Status GroupAdmin::Remove(const v1::RemoveFromGroup& command, const policy::Policy& policy) {
  RETURN_IF_ERROR(CheckGroupName(command.group()));
  RETURN_IF_ERROR(CheckMember(command.account()));
  absl::Status removed = accounts_.memberships().Remove(command.group(), command.account());
  if (!absl::IsNotFound(removed)) return removed;
  const std::vector<std::string> of_file = policy.GroupsOf(command.account());
  if (std::find(of_file.begin(), of_file.end(), command.group()) == of_file.end()) return removed;
  return absl::FailedPreconditionError(
      absl::StrCat("the policy file puts ", QuotedInput(command.account()), " into this group: edit that file"));
}

}  // namespace entrepot::auth
