#include <string>

#include "absl/strings/str_cat.h"
#include "services/ctl/administration_answer.h"
#include "services/ctl/commands.h"
#include "services/ctl/registry_client.h"
#include "services/ctl/terminal_output.h"
#include "services/ctl/user_input.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

using auth::v1::AdministerRequest;
using auth::v1::AdministerResponse;

absl::StatusOr<int> CheckPolicy(const CommandLine& line, RegistryClient& registry) {
  const std::string path = line.argument(0);
  AdministerRequest request;
  ASSIGN_OR_RETURN(*request.mutable_check_policy()->mutable_text(), ReadInputFile(path));
  ASSIGN_OR_RETURN(const AdministerResponse response, registry.Administer(request));
  const bool good = response.policy_problems().lines().empty();
  if (line.json()) {
    Print(AdministrationJson(response));
  } else {
    Print(good ? absl::StrCat(Printable(path), " is a good policy\n") : AdministrationText(response));
  }
  return good ? kOk : kFailed;
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
  const Argument account{.name = "ACCOUNT", .help = "a user or robot+NAME"};
  return {
      {.name = "policy check",
       .arguments = {{.name = "FILE", .help = "a policy file"}},
       .summary = "Check whether the registry accepts a policy file",
       .details = "Prints each problem on a line and exits with 1 if there is one. Changes nothing.",
       .examples = {"entrepotctl policy check examples/policy.yaml"},
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
       .examples = {"entrepotctl groups add web alice", "entrepotctl groups add web robot+deploy"},
       .run = AddToGroup},
      {.name = "groups remove",
       .arguments = {group, account},
       .summary = "Remove an account from a group",
       .examples = {"entrepotctl groups remove web alice"},
       .run = RemoveFromGroup},
  };
}

}  // namespace entrepot::ctl
