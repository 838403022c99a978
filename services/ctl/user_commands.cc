#include "services/ctl/user_commands.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "services/auth/credentials/bcrypt_hash.h"
#include "services/auth/records/account_name.h"
#include "services/ctl/administration.h"
#include "services/ctl/output.h"
#include "services/ctl/passwords.h"
#include "services/ctl/session.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

using auth::v1::AdministerRequest;

// 2^10 rounds: a tenth of a second or less, which an attacker pays for each guess.
constexpr int kBcryptCost = 10;

constexpr char kNewPasswordFile[] = "--new-password-file";
constexpr char kNewPasswordHelp[] = R"(
  --new-password-file FILE  the new password, the file's first line, - for the standard input; else you are asked twice
)";

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

absl::StatusOr<int> RevokeTokens(const CommandLine& line, Session& session) {
  AdministerRequest request;
  request.mutable_revoke_refresh_tokens()->set_account(line.arguments[0]);
  return Ask(request, session, absl::StrCat("revoked the refresh tokens of ", line.arguments[0]));
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

}  // namespace

std::vector<Command> UserCommands() {
  return {
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
}

}  // namespace entrepot::ctl
