#include <string>

#include "absl/strings/str_cat.h"
#include "services/ctl/client/registry_client.h"
#include "services/ctl/commands/administer_and_print.h"
#include "services/ctl/commands/commands.h"

namespace entrepot::ctl {
namespace {

using auth::v1::AdministerRequest;

absl::StatusOr<int> RevokeTokens(const CommandLine& line, RegistryClient& registry) {
  AdministerRequest request;
  request.mutable_revoke_refresh_tokens()->set_account(line.argument(0));
  return AdministerAndPrint(request, line, registry, absl::StrCat("revoked the refresh tokens of ", line.argument(0)));
}

absl::StatusOr<int> ListKeys(const CommandLine& line, RegistryClient& registry) {
  AdministerRequest request;
  request.mutable_list_keys();
  return AdministerAndPrint(request, line, registry);
}

absl::StatusOr<int> RotateKeys(const CommandLine& line, RegistryClient& registry) {
  AdministerRequest request;
  request.mutable_rotate_keys();
  return AdministerAndPrint(request, line, registry, "a new key signs tokens from now on");
}

}  // namespace

std::vector<Command> TokenCommands() {
  return {
      {.name = "tokens revoke",
       .arguments = {{.name = "ACCOUNT", .help = "a user or robot+NAME"}},
       .summary = "Revoke the refresh tokens of an account",
       .details = "Clients of the account must log in again with its password.",
       .examples = {"entrepotctl tokens revoke alice"},
       .run = RevokeTokens},
      {.name = "keys list",
       .summary = "List the keys that sign and verify tokens",
       .examples = {"entrepotctl keys list"},
       .run = ListKeys},
      {.name = "keys rotate",
       .summary = "Sign tokens with a new key from now on",
       .details = "Tokens that exist stay valid until they expire: no push or pull fails.",
       .examples = {"entrepotctl keys rotate"},
       .run = RotateKeys},
  };
}

}  // namespace entrepot::ctl
