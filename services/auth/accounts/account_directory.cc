#include "services/auth/accounts/account_directory.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/auth/credentials/password_verifier.h"
#include "services/auth/records/account_name.h"
#include "services/auth/records/secret.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {
namespace {

absl::StatusOr<std::optional<Robots::Robot>> FindNamed(const Robots& robots, absl::string_view name) {
  // The KV has no other names, and the name comes from an unauthenticated client.
  if (!CheckRobotName(name).ok()) return std::nullopt;
  return robots.Find(name);
}

}  // namespace

AccountDirectory::AccountDirectory(kv::KvEngine* kv, const Clock* clock, const AccountsFile* file)
    : clock_(*clock), file_(*file), users_(kv, clock), robots_(kv, clock), memberships_(kv, clock) {}

absl::StatusOr<std::optional<Account>> AccountDirectory::Find(absl::string_view account) const {
  if (IsIdentityAccount(account)) {
    ASSIGN_OR_RETURN(policy::Subject subject, SubjectOf(account));
    return Account{.subject = std::move(subject)};
  }
  if (const std::optional<absl::string_view> name = RobotNameOf(account); name.has_value()) {
    ASSIGN_OR_RETURN(const std::optional<Robots::Robot> robot, FindNamed(robots_, *name));
    if (!robot.has_value() || IsExpired(*robot)) return std::nullopt;
    return RobotAccount(*robot);
  }
  ASSIGN_OR_RETURN(const std::optional<BcryptHash> hash, PasswordHashOf(account));
  if (!hash.has_value()) return std::nullopt;
  return UserAccount(account, *hash);
}

absl::StatusOr<Account> AccountDirectory::FindOrAssume(absl::string_view account) const {
  ASSIGN_OR_RETURN(std::optional<Account> found, Find(account));
  if (found.has_value()) return *std::move(found);
  ASSIGN_OR_RETURN(policy::Subject subject, SubjectOf(account));
  return Account{.subject = std::move(subject)};
}

absl::StatusOr<std::optional<BcryptHash>> AccountDirectory::PasswordHashOf(absl::string_view user) const {
  const std::shared_ptr<const AccountsFile::Contents> file = file_.current();
  if (const auto found = file->users.find(user); found != file->users.end()) return found->second;
  if (!CheckUserName(user).ok()) return std::nullopt;
  ASSIGN_OR_RETURN(const std::optional<StoredUsers::User> stored, users_.Find(user));
  if (!stored.has_value()) return std::nullopt;
  return stored->password_hash;
}

int AccountDirectory::hash_cost_max() const { return std::max(kNewHashCost, file_.current()->cost_max); }

bool AccountDirectory::IsInFile(absl::string_view user) const { return file_.current()->users.contains(user); }

absl::Status AccountDirectory::AddToGroup(absl::string_view group, absl::string_view user, absl::string_view added_by) {
  kv::Lock lock = StoredUsers::LockOf(user);
  lock.mode = kv::LockMode::kShared;
  return memberships_.Add(group, user, added_by, lock, [&](kv::KvTransaction& transaction) -> absl::Status {
    if (IsInFile(user)) return absl::OkStatus();
    ASSIGN_OR_RETURN(const bool exists, StoredUsers::Exists(transaction, user));
    if (exists) return absl::OkStatus();
    return absl::NotFoundError(absl::StrCat("there is no user ", QuotedInput(user)));
  });
}

absl::StatusOr<Robots::Robot> AccountDirectory::FindRobot(absl::string_view account) const {
  ASSIGN_OR_RETURN(std::optional<Robots::Robot> robot, FindNamed(robots_, RobotNameOf(account).value_or("")));
  if (robot.has_value()) return *std::move(robot);
  return Robots::Robot{.description = {}, .grants = {}, .secret_sha256 = std::string(Sha256("").size(), '\0')};
}

absl::StatusOr<Account> AccountDirectory::UserAccount(absl::string_view name, const BcryptHash& hash) const {
  ASSIGN_OR_RETURN(policy::Subject subject, SubjectOf(name));
  return Account{.subject = std::move(subject), .credential_sha256 = Sha256(hash.ToString())};
}

absl::StatusOr<Account> AccountDirectory::RobotAccount(const Robots::Robot& robot) const {
  ASSIGN_OR_RETURN(policy::Subject subject, SubjectOf(auth::RobotAccount(robot.description.name())));
  return Account{.subject = std::move(subject),
                 .grants = robot.grants,
                 .credential_sha256 = Sha256(robot.secret_sha256),
                 .expires_at = robot.expires_at()};
}

absl::StatusOr<policy::Subject> AccountDirectory::SubjectOf(absl::string_view account) const {
  // Robots and workload identities belong to no group.
  if (account.empty() || policy::IsMachine(account)) {
    return policy::Subject{.account = std::string(account), .groups = {}};
  }
  ASSIGN_OR_RETURN(std::vector<std::string> groups, memberships_.GroupsOf(account));
  return policy::Subject{.account = std::string(account), .groups = std::move(groups)};
}

}  // namespace entrepot::auth
