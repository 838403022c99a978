#include "services/auth/admin/admin_commands.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_split.h"
#include "services/auth/accounts/subject_search.h"
#include "services/auth/admin/explanation.h"
#include "services/core/time/proto_time.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {
namespace {

using Request = v1::AdministerRequest;

v1::PolicyProblems CheckPolicy(const v1::CheckPolicy& command, AccountDirectory& accounts) {
  v1::PolicyProblems problems;
  const policy::InspectedPolicy policy =
      policy::Policy::Inspect(command.text(), command.file_name().empty() ? "policy" : command.file_name());
  for (std::string& line : UnknownSubjects(policy.file, policy.mentions, accounts)) {
    problems.add_warnings(std::move(line));
  }
  if (policy.status.ok()) return problems;
  for (const absl::string_view line : absl::StrSplit(policy.status.message(), '\n')) {
    problems.add_lines(std::string(line));
  }
  return problems;
}

// Moves the result into the field of the response, or returns its error.
template <typename Result>
absl::Status Store(absl::StatusOr<Result> result, Result* field) {
  RETURN_IF_ERROR(result.status());
  *field = *std::move(result);
  return absl::OkStatus();
}

}  // namespace

AdminCommands::AdminCommands(const Parts& parts)
    : parts_(parts),
      users_(parts.accounts, parts.passwords, parts.last_uses),
      robots_(&parts.accounts->robots(), parts.last_uses),
      groups_(parts.accounts) {}

absl::StatusOr<v1::AdministerResponse> AdminCommands::Run(const Request& request) {
  absl::StatusOr<v1::AdministerResponse> response = CheckAndRun(request);
  parts_.audit->AdminCommand(request, response.status());
  return response;
}

absl::StatusOr<v1::AdministerResponse> AdminCommands::CheckAndRun(const Request& request) {
  const std::shared_ptr<const policy::Policy> policy = parts_.policy->current();
  RETURN_IF_ERROR(CheckAdministrator(*policy, request.caller().account()));
  v1::AdministerResponse response;
  RETURN_IF_ERROR(Dispatch(request, *policy, &response));
  if (response.result_case() == v1::AdministerResponse::RESULT_NOT_SET) response.mutable_done();
  return response;
}

absl::Status AdminCommands::CheckAdministrator(const policy::Policy& policy, const std::string& account) const {
  if (!account.empty()) {
    ASSIGN_OR_RETURN(const std::optional<Account> caller, parts_.accounts->Find(account));
    if (caller.has_value() && policy.IsAdministrator(caller->subject)) return absl::OkStatus();
  }
  return OciError(OciErrorCode::kDenied, "only administrators may do this");
}

absl::Status AdminCommands::Dispatch(const Request& request, const policy::Policy& policy,
                                     v1::AdministerResponse* response) {
  const std::string& caller = request.caller().account();
  switch (request.command_case()) {
    case Request::kListUsers:
      return Store(users_.List(policy), response->mutable_users());
    case Request::kCreateUser:
      return users_.Create(request.create_user(), caller);
    case Request::kSetPassword:
      return users_.SetPassword(request.set_password());
    case Request::kDeleteUser:
      return users_.Delete(request.delete_user());
    case Request::kListRobots:
      return Store(robots_.List(), response->mutable_robots());
    case Request::kCreateRobot:
      return Store(robots_.Create(request.create_robot(), caller), response->mutable_robot_secret());
    case Request::kRotateRobotSecret:
      return Store(robots_.RotateSecret(request.rotate_robot_secret()), response->mutable_robot_secret());
    case Request::kDeleteRobot:
      return robots_.Delete(request.delete_robot());
    case Request::kListGroups:
      return Store(groups_.List(policy), response->mutable_groups());
    case Request::kAddToGroup:
      return groups_.Add(request.add_to_group(), caller);
    case Request::kRemoveFromGroup:
      return groups_.Remove(request.remove_from_group(), policy);
    case Request::kListKeys:
      return Store(ListKeys(), response->mutable_keys());
    case Request::kRotateKeys:
      return parts_.keys->Rotate();
    case Request::kRevokeRefreshTokens:
      return RevokeRefreshTokens(request.revoke_refresh_tokens());
    case Request::kExplain:
      return Store(ExplainAccess(request.explain(), policy, *parts_.accounts), response->mutable_explanation());
    case Request::kCheckPolicy:
      *response->mutable_policy_problems() = CheckPolicy(request.check_policy(), *parts_.accounts);
      return absl::OkStatus();
    case Request::kBackUpAccounts:
      return Store(parts_.backups->Take(request.back_up_accounts().name()), response->mutable_accounts_backup());
    case Request::COMMAND_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("the request contains no command that this version supports");
}

absl::StatusOr<v1::Keys> AdminCommands::ListKeys() {
  ASSIGN_OR_RETURN(const std::vector<SigningKeySet::KeyInfo> keys, parts_.keys->List());
  v1::Keys answer;
  for (const SigningKeySet::KeyInfo& key : keys) {
    v1::Keys::Key* const shown = answer.add_keys();
    shown->set_kid(key.kid);
    shown->set_algorithm(std::string(token::ToString(key.algorithm)));
    *shown->mutable_created_at() = ToTimestamp(key.created_at);
    shown->set_active(!key.verifies_until.has_value());
    if (key.verifies_until.has_value()) *shown->mutable_verifies_until() = ToTimestamp(*key.verifies_until);
  }
  return answer;
}

absl::Status AdminCommands::RevokeRefreshTokens(const v1::RevokeRefreshTokens& command) {
  ASSIGN_OR_RETURN(const std::optional<Account> account, parts_.accounts->Find(command.account()));
  if (!account.has_value()) {
    return absl::NotFoundError("there is no such account; the tokens of a deleted account are invalid");
  }
  return parts_.refresh_tokens->RevokeAll(command.account());
}

}  // namespace entrepot::auth
