#ifndef ENTREPOT_SERVICES_CTL_COMMAND_LINE_H_
#define ENTREPOT_SERVICES_CTL_COMMAND_LINE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot::ctl {

// The exit codes; explain says by kDenied that the answer is no.
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kDenied = 3;

class Session;
struct CommandLine;

// One thing that entrepotctl does.
struct Command {
  // "users create"
  std::string name;
  // What follows it: {"NAME"}; the last one may be left out: {"[NAME]"}.
  std::vector<std::string> arguments;
  // Options of its own, each with a value: {"--new-password-file"}.
  std::vector<std::string> options;
  // In the list of commands.
  std::string summary;
  // What its --help says below the usage: its options and examples.
  std::string help;
  // Returns the exit code.
  absl::StatusOr<int> (*run)(const CommandLine& line, Session& session);
  // Options of its own without a value: {"--rehash"}.
  std::vector<std::string> flags = {};
};

// What the user typed, checked against the commands.
struct CommandLine {
  // What is to be said of --help, of no command or of half a command; then there is nothing else.
  std::string help;
  const Command* command = nullptr;
  std::vector<std::string> arguments;
  // By name, "--registry"; the values in their order, of a flag none.
  std::map<std::string, std::vector<std::string>> options;

  // The last value; empty where the option is not given.
  std::string Option(const std::string& name) const;
  // Whether the option or the flag is given.
  bool Has(const std::string& name) const { return options.count(name) > 0; }
  // Empty where it is left out.
  std::string Argument(size_t index) const { return index < arguments.size() ? arguments[index] : ""; }
};

// `words`: argv without the program. kInvalidArgument: one line that says what is wrong and where to read on.
absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& words,
                                             const std::vector<Command>& commands);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_COMMAND_LINE_H_
