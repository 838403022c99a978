#include "services/ctl/commands.h"

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "services/auth/account_name.h"
#include "services/auth/bcrypt_hash.h"
#include "services/ctl/passwords.h"
#include "services/ctl/render.h"
#include "services/ctl/session.h"
#include "services/ctl/table.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

using auth::v1::AdministerRequest;
using auth::v1::AdministerResponse;

// 2^10 rounds: a tenth of a second or less, which an attacker pays for each guess.
constexpr int kBcryptCost = 10;

constexpr char kNewPasswordFile[] = "--new-password-file";
constexpr char kNewPasswordHelp[] = R"(
  --new-password-file FILE  the new password, the file's first line, - for the standard input; else you are asked twice
)";

void Print(const std::string& text) { std::fputs(text.c_str(), stdout); }

// `done`: what to say where the registry has nothing to say.
absl::StatusOr<int> Ask(const AdministerRequest& request, Session& session, const std::string& done = "") {
  ASSIGN_OR_RETURN(const AdministerResponse response, session.Administer(request));
  if (session.json()) {
    Print(ToJson(response));
  } else {
    const std::string text = ToText(response);
    Print(text.empty() && !done.empty() ? absl::StrCat(Printable(done), "\n") : text);
  }
  return kOk;
}

absl::StatusOr<std::string> NewPassword(const CommandLine& line) {
  const std::string file = line.Option(kNewPasswordFile);
  if (!file.empty()) return PasswordInFile(file);
  const std::string instead = absl::StrCat("use ", kNewPasswordFile);
  ASSIGN_OR_RETURN(std::string password, AskPassword(absl::StrCat("New password of ", line.arguments[0]), instead));
  ASSIGN_OR_RETURN(const std::string again, AskPassword("The same again", instead));
  if (password != again) return absl::FailedPreconditionError("the two are not the same; nothing was changed");
  return password;
}

absl::StatusOr<int> ListUsers(const CommandLine&, Session& session) {
  AdministerRequest request;
  request.mutable_list_users();
  return Ask(request, session);
}

absl::StatusOr<int> CreateUser(const CommandLine& line, Session& session) {
  AdministerRequest request;
  request.mutable_create_user()->set_name(line.arguments[0]);
  ASSIGN_OR_RETURN(*request.mutable_create_user()->mutable_password(), NewPassword(line));
  return Ask(request, session, absl::StrCat("made the user ", line.arguments[0]));
}

absl::StatusOr<int> SetPassword(const CommandLine& line, Session& session) {
  AdministerRequest request;
  request.mutable_set_password()->set_name(line.arguments[0]);
  ASSIGN_OR_RETURN(*request.mutable_set_password()->mutable_password(), NewPassword(line));
  return Ask(request, session, absl::StrCat("set the password of ", line.arguments[0]));
}

absl::StatusOr<int> DeleteUser(const CommandLine& line, Session& session) {
  AdministerRequest request;
  request.mutable_delete_user()->set_name(line.arguments[0]);
  return Ask(request, session, absl::StrCat("deleted the user ", line.arguments[0]));
}

absl::StatusOr<int> ListRobots(const CommandLine&, Session& session) {
  AdministerRequest request;
  request.mutable_list_robots();
  return Ask(request, session);
}

absl::StatusOr<int> CreateRobot(const CommandLine& line, Session& session) {
  AdministerRequest request;
  auth::v1::CreateRobot& robot = *request.mutable_create_robot();
  robot.set_name(line.arguments[0]);
  robot.set_description(line.Option("--description"));
  const auto allowed = line.options.find("--allow");
  if (allowed == line.options.end()) {
    return absl::InvalidArgumentError("what may it do? for example --allow 'driftwood/**:pull'");
  }
  for (const std::string& scope : allowed->second) {
    ASSIGN_OR_RETURN(*robot.add_scopes(), ParseRobotScope(scope));
  }
  if (const std::string expires = line.Option("--expires"); !expires.empty()) {
    ASSIGN_OR_RETURN(*robot.mutable_lifetime(), ParseLifetime(expires));
  }
  return Ask(request, session);
}

absl::StatusOr<int> RotateRobotSecret(const CommandLine& line, Session& session) {
  AdministerRequest request;
  request.mutable_rotate_robot_secret()->set_name(line.arguments[0]);
  return Ask(request, session);
}

absl::StatusOr<int> DeleteRobot(const CommandLine& line, Session& session) {
  AdministerRequest request;
  request.mutable_delete_robot()->set_name(line.arguments[0]);
  return Ask(request, session, absl::StrCat("deleted the robot ", line.arguments[0]));
}

absl::StatusOr<int> ListGroups(const CommandLine&, Session& session) {
  AdministerRequest request;
  request.mutable_list_groups();
  return Ask(request, session);
}

absl::StatusOr<int> AddToGroup(const CommandLine& line, Session& session) {
  AdministerRequest request;
  request.mutable_add_to_group()->set_group(line.arguments[0]);
  request.mutable_add_to_group()->set_account(line.arguments[1]);
  return Ask(request, session, absl::StrCat(line.arguments[1], " is in the group ", line.arguments[0]));
}

absl::StatusOr<int> RemoveFromGroup(const CommandLine& line, Session& session) {
  AdministerRequest request;
  request.mutable_remove_from_group()->set_group(line.arguments[0]);
  request.mutable_remove_from_group()->set_account(line.arguments[1]);
  return Ask(request, session, absl::StrCat(line.arguments[1], " is not in the group ", line.arguments[0]));
}

absl::StatusOr<int> CheckPolicy(const CommandLine& line, Session& session) {
  const std::string& path = line.arguments[0];
  std::ifstream file(path);
  if (!file) return absl::InvalidArgumentError(absl::StrCat("cannot read ", path));
  AdministerRequest request;
  request.mutable_check_policy()->set_text({std::istreambuf_iterator<char>(file), {}});
  ASSIGN_OR_RETURN(const AdministerResponse response, session.Administer(request));
  const bool good = response.policy_problems().lines().empty();
  if (session.json()) {
    Print(ToJson(response));
  } else {
    Print(good ? absl::StrCat(Printable(path), " is a good policy\n") : ToText(response));
  }
  return good ? kOk : kFailed;
}

absl::StatusOr<int> Explain(const CommandLine& line, Session& session) {
  AdministerRequest request;
  request.mutable_explain()->set_subject(line.arguments[0]);
  request.mutable_explain()->set_action(line.arguments[1]);
  request.mutable_explain()->set_repository(line.arguments[2]);
  ASSIGN_OR_RETURN(const AdministerResponse response, session.Administer(request));
  Print(session.json() ? ToJson(response) : ToText(response));
  return response.explanation().allowed() ? kOk : kDenied;
}

absl::StatusOr<int> ListKeys(const CommandLine&, Session& session) {
  AdministerRequest request;
  request.mutable_list_keys();
  return Ask(request, session);
}

absl::StatusOr<int> RotateKeys(const CommandLine&, Session& session) {
  AdministerRequest request;
  request.mutable_rotate_keys();
  return Ask(request, session, "a new key signs tokens from now on");
}

absl::StatusOr<int> RevokeTokens(const CommandLine& line, Session& session) {
  AdministerRequest request;
  request.mutable_revoke_refresh_tokens()->set_account(line.arguments[0]);
  return Ask(request, session, absl::StrCat("revoked the refresh tokens of ", line.arguments[0]));
}

absl::StatusOr<int> DeleteRepository(const CommandLine& line, Session& session) {
  RETURN_IF_ERROR(session.DeleteRepository(line.arguments[0]));
  Print(session.json() ? "{}\n" : absl::StrCat("deleted the repository ", Printable(line.arguments[0]), "\n"));
  return kOk;
}

absl::StatusOr<int> HashPassword(const CommandLine& line, Session& session) {
  RETURN_IF_ERROR(auth::CheckUserName(line.arguments[0]));
  ASSIGN_OR_RETURN(const std::string password, NewPassword(line));
  if (password.size() > auth::kBcryptPasswordBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("bcrypt looks at ", auth::kBcryptPasswordBytesMax, " bytes of a password, this one has more"));
  }
  const std::string hash = auth::BcryptHash::Make(password, kBcryptCost).ToString();
  Print(session.json() ? absl::StrCat("{\"account\": \"", line.arguments[0], "\", \"hash\": \"", hash, "\"}\n")
                       : absl::StrCat(line.arguments[0], ":", hash, "\n"));
  return kOk;
}

absl::Status BadScope(absl::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("--allow is REPOSITORIES:ACTIONS, as in 'driftwood/**:pull,push', not ", QuotedInput(text)));
}

}  // namespace

absl::StatusOr<auth::v1::RobotScope> ParseRobotScope(absl::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return BadScope(text);
  auth::v1::RobotScope scope;
  for (const absl::string_view pattern : absl::StrSplit(text.substr(0, colon), ',')) {
    if (pattern.empty()) return BadScope(text);
    scope.add_repositories(std::string(pattern));
  }
  for (const absl::string_view action : absl::StrSplit(text.substr(colon + 1), ',')) {
    if (action.empty()) return BadScope(text);
    scope.add_actions(std::string(action));
  }
  return scope;
}

absl::StatusOr<google::protobuf::Duration> ParseLifetime(absl::string_view text) {
  absl::Duration lifetime;
  absl::string_view days = text;
  int64_t count;
  if (absl::ConsumeSuffix(&days, "d") && absl::SimpleAtoi(days, &count)) {
    lifetime = absl::Hours(24) * count;
  } else if (!absl::ParseDuration(text, &lifetime)) {
    lifetime = absl::ZeroDuration();
  }
  if (lifetime < absl::Seconds(1) || lifetime > absl::Hours(24 * 36500)) {
    return absl::InvalidArgumentError(absl::StrCat("--expires is a time like 720h or 30d, not ", QuotedInput(text)));
  }
  google::protobuf::Duration duration;
  duration.set_seconds(absl::ToInt64Seconds(lifetime));
  return duration;
}

const std::vector<Command>& AllCommands() {
  static const std::vector<Command> commands = {
      {"users list",
       {},
       {},
       "who logs in with a password",
       R"(
Example:
  entrepotctl users list
)",
       ListUsers},
      {"users create",
       {"NAME"},
       {kNewPasswordFile},
       "makes a user, kept by the registry",
       absl::StrCat(kNewPasswordHelp, R"(
What the user may do is for the policy file to say: by name, or through a group.

Examples:
  entrepotctl users create alice
  entrepotctl users create alice --new-password-file - <password.txt
)"),
       CreateUser},
      {"users set-password",
       {"NAME"},
       {kNewPasswordFile},
       "gives a user another password",
       absl::StrCat(kNewPasswordHelp, R"(
The user's refresh tokens end with it. Users of the accounts file are changed there.

Example:
  entrepotctl users set-password alice
)"),
       SetPassword},
      {"users delete",
       {"NAME"},
       {},
       "deletes a user",
       R"(
Tokens that are out live on for their minutes, refresh tokens end at once.

Example:
  entrepotctl users delete alice
)",
       DeleteUser},
      {"robots list",
       {},
       {},
       "accounts of machines, and when each was last used",
       R"(
Example:
  entrepotctl robots list --output json
)",
       ListRobots},
      {"robots create",
       {"NAME"},
       {"--allow", "--description", "--expires"},
       "makes an account for a machine",
       R"(
  --allow REPOSITORIES:ACTIONS  what it may do: patterns (* within a segment, ** for any segments), and pull, push,
                                delete; may be given many times
  --description TEXT            for people
  --expires TIME                how long it lives: 720h, 30d; default: for ever

It logs in as robot+NAME with the secret that is shown, this once.

Examples:
  entrepotctl robots create deploy --allow 'driftwood/web:pull' --expires 30d
  entrepotctl robots create builds --allow 'driftwood/**:pull,push' --allow 'base/**:pull' --description 'CI, main branch'
)",
       CreateRobot},
      {"robots rotate-secret",
       {"NAME"},
       {},
       "gives a robot a new secret, and shows it",
       R"(
The old secret ends at once.

Example:
  entrepotctl robots rotate-secret deploy
)",
       RotateRobotSecret},
      {"robots delete",
       {"NAME"},
       {},
       "deletes a robot",
       R"(
Example:
  entrepotctl robots delete deploy
)",
       DeleteRobot},
      {"groups list",
       {},
       {},
       "groups and who is in them",
       R"(
Example:
  entrepotctl groups list
)",
       ListGroups},
      {"groups add",
       {"GROUP", "ACCOUNT"},
       {},
       "puts an account into a group",
       R"(
The policy's rules for "group:GROUP" then hold for the account. The policy file names the groups that there are.

Examples:
  entrepotctl groups add web alice
  entrepotctl groups add web robot+deploy
)",
       AddToGroup},
      {"groups remove",
       {"GROUP", "ACCOUNT"},
       {},
       "takes an account out of a group",
       R"(
Example:
  entrepotctl groups remove web alice
)",
       RemoveFromGroup},
      {"policy check",
       {"FILE"},
       {},
       "whether the registry would take a policy file",
       R"(
Prints each problem as a line, and exits with 1 where there is one. Nothing is changed.

Example:
  entrepotctl policy check examples/policy.yaml
)",
       CheckPolicy},
      {"explain",
       {"SUBJECT", "ACTION", "REPOSITORY"},
       {},
       "which rule allows or denies it",
       R"(
SUBJECT is an account, robot+NAME, or anonymous; ACTION is pull, push or delete.
Exits with 0 where it is allowed, with 3 where it is denied.

Examples:
  entrepotctl explain prod push driftwood/web
  entrepotctl explain anonymous pull public/tools && echo everybody may
)",
       Explain},
      {"keys list",
       {},
       {},
       "the keys that sign and verify tokens",
       R"(
Example:
  entrepotctl keys list
)",
       ListKeys},
      {"keys rotate",
       {},
       {},
       "signs tokens with a new key from now on",
       R"(
Tokens that are out stay good for their minutes: no push or pull fails.

Example:
  entrepotctl keys rotate
)",
       RotateKeys},
      {"tokens revoke",
       {"ACCOUNT"},
       {},
       "ends the refresh tokens of an account",
       R"(
Whoever has logged in with it has to show the password again.

Example:
  entrepotctl tokens revoke alice
)",
       RevokeTokens},
      {"repositories delete",
       {"NAME"},
       {},
       "deletes a repository with all its tags and manifests",
       R"(
Tokens for it that are out are not good for a repository that is made under this name later.

Example:
  entrepotctl repositories delete driftwood/old
)",
       DeleteRepository},
      {"hash-password",
       {"NAME"},
       {kNewPasswordFile},
       "a line for an accounts file; needs no registry",
       absl::StrCat(kNewPasswordHelp, R"(
The line is what `htpasswd -B` writes: the name, a colon and a bcrypt hash.

Example:
  entrepotctl hash-password admin >>accounts
)"),
       HashPassword},
  };
  return commands;
}

}  // namespace entrepot::ctl
