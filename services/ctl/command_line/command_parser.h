#ifndef ENTREPOT_SERVICES_CTL_COMMAND_LINE_COMMAND_PARSER_H_
#define ENTREPOT_SERVICES_CTL_COMMAND_LINE_COMMAND_PARSER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/ctl/command_line/command.h"

namespace entrepot::ctl {

// Parses `words`, argv without the program, against `commands`, which must outlive the result. `--help`, `help`, a
// command group alone ("users") and no words at all give help; `--version` gives the version. kInvalidArgument: one
// line that names the word at fault. A value of an unknown option is never in it: it may be a password.
absl::StatusOr<CommandLine> ParseCommandLine(std::vector<std::string> words, const std::vector<Command>& commands);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_COMMAND_LINE_COMMAND_PARSER_H_
