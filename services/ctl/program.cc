#include "services/ctl/program.h"

#include <cstdio>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/ctl/client/registry_client.h"
#include "services/ctl/command_line/command.h"
#include "services/ctl/command_line/command_parser.h"
#include "services/ctl/commands/commands.h"
#include "services/ctl/output/terminal_output.h"

namespace entrepot::ctl {
namespace {

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "entrepotctl: %s\n", std::string(status.message()).c_str());
  if (absl::IsCancelled(status)) return kInterrupted;
  return absl::IsInvalidArgument(status) ? kUsage : kFailed;
}

}  // namespace

int RunEntrepotctl(const std::vector<std::string>& words, HttpClient& http) {
  const absl::StatusOr<CommandLine> line = ParseCommandLine(words, AllCommands());
  if (!line.ok()) return Fail(line.status());
  if (line->command() == nullptr) {
    Print(line->text());
    return kOk;
  }
  // Commands that need no registry do not care for its address.
  absl::StatusOr<RegistryClient::Options> options = RegistryClient::OptionsOf(*line);
  RegistryClient registry =
      options.ok() ? RegistryClient(*std::move(options), http) : RegistryClient(options.status(), http);
  const absl::StatusOr<int> code = line->command()->run(*line, registry);
  return code.ok() ? *code : Fail(code.status());
}

}  // namespace entrepot::ctl
