#include "services/ctl/policy_commands.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "services/ctl/administration.h"
#include "services/ctl/output.h"
#include "services/ctl/render.h"
#include "services/ctl/session.h"
#include "services/ctl/table.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

using auth::v1::AdministerRequest;
using auth::v1::AdministerResponse;

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
  AdministerRequest request;
  ASSIGN_OR_RETURN(*request.mutable_check_policy()->mutable_text(), ReadFile(path));
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

absl::StatusOr<int> DeleteRepository(const CommandLine& line, Session& session) {
  RETURN_IF_ERROR(session.DeleteRepository(line.arguments[0]));
  Print(session.json() ? "{}\n" : absl::StrCat("deleted the repository ", Printable(line.arguments[0]), "\n"));
  return kOk;
}

}  // namespace

std::vector<Command> PolicyCommands() {
  return {
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
  };
}

}  // namespace entrepot::ctl
