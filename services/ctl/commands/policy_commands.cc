#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/auth/credentials/htpasswd.h"
#include "services/ctl/client/registry_client.h"
#include "services/ctl/command_line/user_input.h"
#include "services/ctl/commands/administer_and_print.h"
#include "services/ctl/commands/commands.h"
#include "services/ctl/output/administration_text.h"
#include "services/ctl/output/terminal_output.h"
#include "services/policy/policy.h"
#include "services/policy/subject.h"
#include "services/policy/unknown_subjects.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

using auth::v1::AdministerRequest;
using auth::v1::AdministerResponse;

constexpr char kAccountsFile[] = "--accounts-file";
constexpr char kKnown[] = "--known";
constexpr char kAskRegistry[] = "--ask-registry";

// The accounts file beside the policy file, if there is one.
std::string AccountsFileBeside(const std::string& policy_file) {
  for (const char* name : {"accounts", "accounts.htpasswd"}) {
    const std::filesystem::path path = std::filesystem::path(policy_file).replace_filename(name);
    std::error_code error;
    if (std::filesystem::is_regular_file(path, error)) return path.string();
  }
  return "";
}

// The accounts and groups that the user's files and options name. `users` is empty if there is no accounts file.
struct NamedSubjects {
  std::string accounts_file;
  auth::PasswordHashes users;
  std::set<std::string, std::less<>> known;
};

absl::StatusOr<NamedSubjects> ReadSubjects(const CommandLine& line) {
  NamedSubjects named;
  for (const std::string& subject : line.Values(kKnown)) named.known.insert(subject);
  named.accounts_file =
      line.Has(kAccountsFile) ? line.Value(kAccountsFile) : AccountsFileBeside(/*policy_file=*/line.argument(0));
  if (named.accounts_file.empty()) return named;
  ASSIGN_OR_RETURN(const std::string text, ReadInputFile(named.accounts_file));
  ASSIGN_OR_RETURN(named.users, auth::ParseHtpasswd(text, named.accounts_file));
  return named;
}

std::vector<std::string> FindUnknown(const policy::InspectedPolicy& policy, const NamedSubjects& named) {
  return policy::FindUnknownSubjects(
      policy.file, policy.mentions,
      {.source = named.accounts_file,
       .has_account =
           [&](absl::string_view account) {
             // Without a registry nothing is known about its robots.
             if (named.accounts_file.empty() || policy::IsMachine(account)) return true;
             return named.users.contains(account) || named.known.contains(account);
           },
       .has_members =
           [&](absl::string_view group) { return named.known.contains(absl::StrCat(policy::kGroupPrefix, group)); }});
}

// What the user should know besides problems and warnings.
std::string NoteOf(const policy::InspectedPolicy& policy, const NamedSubjects& named, bool warned) {
  if (named.accounts_file.empty() && !policy.mentions.empty()) {
    return absl::StrCat("note: users were not looked up: there is no accounts file beside the policy; use ",
                        kAccountsFile, " or ", kAskRegistry, "\n");
  }
  if (!warned) return "";
  return absl::StrCat("note: users and members of groups that only the registry has: use ", kAskRegistry, ", or ",
                      kKnown, " for each\n");
}

int PrintChecked(const CommandLine& line, const auth::v1::PolicyProblems& problems, const std::string& note) {
  const bool good = problems.lines().empty();
  if (line.json()) {
    Print(MessageJson(problems));
    return good ? kOk : kFailed;
  }
  for (const std::string& problem : problems.lines()) Print(absl::StrCat(Printable(problem), "\n"));
  for (const std::string& warning : problems.warnings()) {
    Print(absl::StrCat("warning: ", Printable(warning), "\n"));
  }
  Print(note);
  if (good) Print(absl::StrCat(Printable(line.argument(0)), " is a good policy\n"));
  return good ? kOk : kFailed;
}

absl::StatusOr<int> CheckByRegistry(const CommandLine& line, const std::string& text, RegistryClient& registry) {
  if (line.Has(kAccountsFile) || line.Has(kKnown)) {
    return absl::InvalidArgumentError(
        absl::StrCat(kAskRegistry, " takes the accounts of the registry: leave out ", kAccountsFile, " and ", kKnown));
  }
  AdministerRequest request;
  request.mutable_check_policy()->set_text(text);
  request.mutable_check_policy()->set_file_name(line.argument(0));
  ASSIGN_OR_RETURN(const AdministerResponse response, registry.Administer(request));
  return PrintChecked(line, response.policy_problems(), /*note=*/"");
}

absl::StatusOr<int> CheckPolicy(const CommandLine& line, RegistryClient& registry) {
  ASSIGN_OR_RETURN(const std::string text, ReadInputFile(line.argument(0)));
  if (line.Has(kAskRegistry)) return CheckByRegistry(line, text, registry);
  ASSIGN_OR_RETURN(const NamedSubjects named, ReadSubjects(line));
  auth::v1::PolicyProblems problems;
  const policy::InspectedPolicy policy = policy::Policy::Inspect(text, line.argument(0));
  if (!policy.status.ok()) {
    for (const absl::string_view problem : absl::StrSplit(policy.status.message(), '\n')) {
      problems.add_lines(std::string(problem));
    }
  }
  for (std::string& warning : FindUnknown(policy, named)) problems.add_warnings(std::move(warning));
  return PrintChecked(line, problems, NoteOf(policy, named, /*warned=*/!problems.warnings().empty()));
}

absl::StatusOr<int> Explain(const CommandLine& line, RegistryClient& registry) {
  AdministerRequest request;
  request.mutable_explain()->set_subject(line.argument(0));
  request.mutable_explain()->set_action(line.argument(1));
  request.mutable_explain()->set_repository(line.argument(2));
  ASSIGN_OR_RETURN(const AdministerResponse response, registry.Administer(request));
  Print(line.json() ? AdministrationJson(response) : AdministrationText(response));
  return response.explanation().allowed() ? kOk : kDenied;
}

absl::StatusOr<int> ListGroups(const CommandLine& line, RegistryClient& registry) {
  AdministerRequest request;
  request.mutable_list_groups();
  return AdministerAndPrint(request, line, registry);
}

absl::StatusOr<int> AddToGroup(const CommandLine& line, RegistryClient& registry) {
  AdministerRequest request;
  request.mutable_add_to_group()->set_group(line.argument(0));
  request.mutable_add_to_group()->set_account(line.argument(1));
  return AdministerAndPrint(request, line, registry,
                            absl::StrCat(line.argument(1), " is in the group ", line.argument(0)));
}

absl::StatusOr<int> RemoveFromGroup(const CommandLine& line, RegistryClient& registry) {
  AdministerRequest request;
  request.mutable_remove_from_group()->set_group(line.argument(0));
  request.mutable_remove_from_group()->set_account(line.argument(1));
  return AdministerAndPrint(request, line, registry,
                            absl::StrCat(line.argument(1), " is not in the group ", line.argument(0)));
}

}  // namespace

std::vector<Command> PolicyCommands() {
  const Argument group{.name = "GROUP", .help = "a group that the policy file contains"};
  const Argument account{.name = "ACCOUNT", .help = "a user"};
  return {
      {.name = "policy check",
       .arguments = {{.name = "FILE", .help = "a policy file"}},
       .options = {{.name = kAccountsFile,
                    .value = "FILE",
                    .help = "look up users in this accounts file; default: the file accounts or\n"
                            "accounts.htpasswd beside the policy file, if there is one"},
                   {.name = kKnown,
                    .value = "SUBJECT",
                    .help = "a user that only the registry has, or a group, group:NAME, whose members\n"
                            "only the registry has: no warning about it; may be repeated",
                    .repeatable = true},
                   {.name = kAskRegistry,
                    .value = "",
                    .help = "have the registry check the file, by its version and its users, robots and groups"}},
       .summary = "Check a policy file; needs no registry",
       .details = "Prints each mistake on a line, with the file's name and the line. Warns of users that the accounts\n"
                  "file does not have, of groups without members, and of identities without a provider. Exits with\n"
                  "0 if the policy can be used, with or without warnings; with 1 if it has mistakes; with 2 if a\n"
                  "file cannot be read.",
       .examples = {"entrepotctl policy check examples/policy.yaml",
                    "entrepotctl policy check policy.yaml --accounts-file accounts --known group:night-shift",
                    "entrepotctl policy check policy.yaml --ask-registry"},
       .run = CheckPolicy},
      {.name = "explain",
       .arguments = {{.name = "SUBJECT", .help = "a user, robot+NAME, or anonymous"},
                     {.name = "ACTION", .help = "pull, push or delete"},
                     {.name = "REPOSITORY", .help = "the repository"}},
       .summary = "Show which rule allows or denies an action",
       .details = "Exits with 0 if the action is allowed, with 3 if it is denied.",
       .examples = {"entrepotctl explain prod push driftwood/web",
                    "entrepotctl explain anonymous pull public/tools && echo allowed"},
       .run = Explain},
      {.name = "groups list",
       .summary = "List the groups and their members",
       .examples = {"entrepotctl groups list"},
       .run = ListGroups},
      {.name = "groups add",
       .arguments = {group, account},
       .summary = "Add an account to a group",
       .details = "The policy's rules for \"group:GROUP\" then apply to the account.",
       .examples = {"entrepotctl groups add web alice"},
       .run = AddToGroup},
      {.name = "groups remove",
       .arguments = {group, account},
       .summary = "Remove an account from a group",
       .examples = {"entrepotctl groups remove web alice"},
       .run = RemoveFromGroup},
  };
}

}  // namespace entrepot::ctl
