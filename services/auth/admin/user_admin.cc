#include "services/auth/admin/user_admin.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/auth/records/account_name.h"
#include "services/core/time/proto_time.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {

absl::StatusOr<v1::Users> UserAdmin::List(const policy::Policy& policy) {
  // By name. If both have a user of that name, the one of the file is used.
  std::map<std::string, v1::Users::User> users;
  ASSIGN_OR_RETURN(const std::vector<StoredUsers::User> stored, accounts_.users().List());
  for (const StoredUsers::User& user : stored) {
    *users[user.name].mutable_created_at() = ToTimestamp(user.created_at);
  }
  for (const auto& [name, hash] : accounts_.file().current()->users) {
    users[name].Clear();
    users[name].set_from_file(true);
  }
  v1::Users answer;
  for (auto& [name, user] : users) {
    RETURN_IF_ERROR(Describe(name, policy, &user));
    *answer.add_users() = user;
  }
  return answer;
}

absl::Status UserAdmin::Create(const v1::CreateUser& command, absl::string_view created_by) {
  RETURN_IF_ERROR(CheckUserName(command.name()));
  if (accounts_.IsInFile(command.name())) {
    return absl::AlreadyExistsError(
        absl::StrCat("there is a user ", QuotedInput(command.name()), " already, in the accounts file"));
  }
  ASSIGN_OR_RETURN(const BcryptHash hash, passwords_.Hash(command.password()));
  return accounts_.users().Create(command.name(), hash, created_by);
}

absl::Status UserAdmin::SetPassword(const v1::SetPassword& command) {
  RETURN_IF_ERROR(CheckUserName(command.name()));
  RETURN_IF_ERROR(CheckNotInFile(command.name()));
  ASSIGN_OR_RETURN(const BcryptHash hash, passwords_.Hash(command.password()));
  return accounts_.users().SetPassword(command.name(), hash);
}

absl::Status UserAdmin::Delete(const v1::DeleteUser& command) {
  RETURN_IF_ERROR(CheckUserName(command.name()));
  absl::Status deleted = accounts_.users().Delete(command.name());
  // A user of the KV that a user of the file shadows can be deleted.
  if (absl::IsNotFound(deleted)) RETURN_IF_ERROR(CheckNotInFile(command.name()));
  return deleted;
}

absl::Status UserAdmin::CheckNotInFile(absl::string_view name) const {
  if (!accounts_.IsInFile(name)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(QuotedInput(name), " is in the accounts file: change it with htpasswd"));
}

absl::Status UserAdmin::Describe(absl::string_view name, const policy::Policy& policy, v1::Users::User* user) const {
  user->set_name(std::string(name));
  ASSIGN_OR_RETURN(const std::optional<absl::Time> used_at, last_uses_.Find(name));
  if (used_at.has_value()) *user->mutable_last_used_at() = ToTimestamp(*used_at);
  ASSIGN_OR_RETURN(const policy::Subject subject, accounts_.SubjectOf(name));
  const std::vector<std::string> of_file = policy.GroupsOf(name);
  std::set<std::string> groups(of_file.begin(), of_file.end());
  groups.insert(subject.groups.begin(), subject.groups.end());
  user->mutable_groups()->Add(groups.begin(), groups.end());
  return absl::OkStatus();
}

}  // namespace entrepot::auth
