#include <cstdio>
#include <string>
#include <vector>

#include "services/ctl/command_line.h"
#include "services/ctl/commands.h"
#include "services/ctl/session.h"

namespace entrepot::ctl {
namespace {

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "entrepotctl: %s\n", std::string(status.message()).c_str());
  if (status.code() == absl::StatusCode::kCancelled) return 128 + 2;
  return status.code() == absl::StatusCode::kInvalidArgument ? kUsage : kFailed;
}

int Main(const std::vector<std::string>& words) {
  const absl::StatusOr<CommandLine> line = ParseCommandLine(words, AllCommands());
  if (!line.ok()) return Fail(line.status());
  if (!line->help.empty()) {
    std::fputs(line->help.c_str(), stdout);
    return kOk;
  }
  Session session(Session::OptionsOf(*line));
  const absl::StatusOr<int> code = line->command->run(*line, session);
  return code.ok() ? *code : Fail(code.status());
}

}  // namespace
}  // namespace entrepot::ctl

int main(int argc, char** argv) { return entrepot::ctl::Main({argv + 1, argv + argc}); }
