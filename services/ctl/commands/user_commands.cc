#include <string>

#include "absl/strings/str_cat.h"
#include "services/auth/credentials/bcrypt_hash.h"
#include "services/auth/records/account_name.h"
#include "services/ctl/client/registry_client.h"
#include "services/ctl/command_line/user_input.h"
#include "services/ctl/commands/accounts_file_edit.h"
#include "services/ctl/commands/administer_and_print.h"
#include "services/ctl/commands/commands.h"
#include "services/ctl/output/terminal_output.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

using auth::v1::AdministerRequest;

// 2^10 rounds take up to a tenth of a second: the price of each guess for an attacker.
constexpr int kBcryptCost = 10;

constexpr char kNewPasswordFile[] = "--new-password-file";
constexpr char kFile[] = "--file";

Option NewPasswordFile() {
  return {.name = kNewPasswordFile,
          .value = "FILE",
          .help =
              "the new password is the first line of FILE, or of the standard input if FILE is -;\n"
              "default: a prompt, twice"};
}

absl::StatusOr<std::string> NewPassword(const CommandLine& line) {
  if (line.Has(kNewPasswordFile)) return PasswordInFile(line.Value(kNewPasswordFile));
  const std::string instead = absl::StrCat("use ", kNewPasswordFile);
  ASSIGN_OR_RETURN(std::string password, AskPassword(absl::StrCat("New password of ", line.argument(0)), instead));
  ASSIGN_OR_RETURN(const std::string again, AskPassword("The same password again", instead));
  if (password != again) return absl::FailedPreconditionError("the passwords differ; nothing was changed");
  return password;
}

absl::StatusOr<int> ListUsers(const CommandLine& line, RegistryClient& registry) {
  AdministerRequest request;
  request.mutable_list_users();
  return AdministerAndPrint(request, line, registry);
}

absl::StatusOr<int> CreateUser(const CommandLine& line, RegistryClient& registry) {
  AdministerRequest request;
  request.mutable_create_user()->set_name(line.argument(0));
  ASSIGN_OR_RETURN(*request.mutable_create_user()->mutable_password(), NewPassword(line));
  return AdministerAndPrint(request, line, registry, absl::StrCat("made the user ", line.argument(0)));
}

absl::StatusOr<int> SetPassword(const CommandLine& line, RegistryClient& registry) {
  AdministerRequest request;
  request.mutable_set_password()->set_name(line.argument(0));
  ASSIGN_OR_RETURN(*request.mutable_set_password()->mutable_password(), NewPassword(line));
  return AdministerAndPrint(request, line, registry, absl::StrCat("set the password of ", line.argument(0)));
}

absl::StatusOr<int> DeleteUser(const CommandLine& line, RegistryClient& registry) {
  AdministerRequest request;
  request.mutable_delete_user()->set_name(line.argument(0));
  return AdministerAndPrint(request, line, registry, absl::StrCat("deleted the user ", line.argument(0)));
}

absl::StatusOr<int> HashPassword(const CommandLine& line, RegistryClient&) {
  const std::string name = line.argument(0);
  RETURN_IF_ERROR(auth::CheckUserName(name));
  ASSIGN_OR_RETURN(const std::string password, NewPassword(line));
  if (password.size() > auth::kBcryptPasswordBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("the password is longer than ", auth::kBcryptPasswordBytesMax,
                                                   " bytes, which is all that bcrypt reads"));
  }
  const std::string hash = auth::BcryptHash::Make(password, kBcryptCost).ToString();
  if (line.Has(kFile)) {
    const std::string& file = line.Value(kFile);
    ASSIGN_OR_RETURN(const bool replaced, PutAccount(file, name, hash));
    if (!line.json()) Print(absl::StrCat(replaced ? "replaced " : "added ", name, " in ", Printable(file), "\n"));
    if (!line.json()) return kOk;
  }
  Print(line.json() ? absl::StrCat("{\"account\": \"", name, "\", \"hash\": \"", hash, "\"}\n")
                    : absl::StrCat(name, ":", hash, "\n"));
  return kOk;
}

}  // namespace

std::vector<Command> UserCommands() {
  const Argument name{.name = "NAME", .help = "the user"};
  return {
      {.name = "users list",
       .summary = "List the users, who log in with a password",
       .examples = {"entrepotctl users list"},
       .run = ListUsers},
      {.name = "users create",
       .arguments = {name},
       .options = {NewPasswordFile()},
       .summary = "Create a user in the registry's own records",
       .details = "The policy file decides what the user may do: by name, or through a group.",
       .examples = {"entrepotctl users create alice",
                    "entrepotctl users create alice --new-password-file - <password.txt"},
       .run = CreateUser},
      {.name = "users set-password",
       .arguments = {name},
       .options = {NewPasswordFile()},
       .summary = "Change a user's password",
       .details = "The user's refresh tokens become invalid. To change a user of the accounts file, edit the file.",
       .examples = {"entrepotctl users set-password alice"},
       .run = SetPassword},
      {.name = "users delete",
       .arguments = {name},
       .summary = "Delete a user",
       .details =
           "The user's refresh tokens become invalid at once, access tokens when they expire, some minutes later.",
       .examples = {"entrepotctl users delete alice"},
       .run = DeleteUser},
      {.name = "hash-password",
       .arguments = {name},
       .options = {NewPasswordFile(),
                   {.name = kFile,
                    .value = "FILE",
                    .help = "puts the line into this accounts file, in place of the user's old line;\n"
                            "makes the file if it is missing; afterwards only its owner may read it"}},
       .summary = "Make a line for an accounts file; needs no registry",
       .details = "The line is in the format of `htpasswd -B`: the name, a colon and a bcrypt hash. Without --file it "
                  "is printed.",
       .examples = {"entrepotctl hash-password admin --file accounts"},
       .run = HashPassword},
  };
}

}  // namespace entrepot::ctl
