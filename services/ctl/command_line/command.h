#ifndef ENTREPOT_SERVICES_CTL_COMMAND_LINE_COMMAND_H_
#define ENTREPOT_SERVICES_CTL_COMMAND_LINE_COMMAND_H_

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace entrepot::ctl {

// The exit codes of entrepotctl.
inline constexpr int kOk = 0;
// The registry refused, the command failed, (check, scrub) stored content is damaged, or (policy check, retention
// check) the file has mistakes.
inline constexpr int kFailed = 1;
// The command line, or a file that it names, is invalid.
inline constexpr int kUsage = 2;
// Of `explain` only: the answer is "denied".
inline constexpr int kDenied = 3;
// Ctrl-C at a prompt: 128 + SIGINT.
inline constexpr int kInterrupted = 130;

class CommandLine;
class RegistryClient;

// A positional argument of a command.
struct Argument {
  std::string name;  // "NAME"
  std::string help;
  // Only the last argument of a command may be optional, or be given several times.
  bool required = true;
  bool repeatable = false;
};

struct Option {
  std::string name;   // "--allow"
  std::string value;  // What its value is called in the help, "FILE". Empty: a flag, which has no value.
  std::string help;   // May have several lines.
  bool required = false;
  // May be given several times. Otherwise the last value counts.
  bool repeatable = false;
  // The values that are allowed; empty: any.
  std::vector<std::string> choices = {};
  // The environment variable that gives the value if the option is not on the command line; may be empty.
  std::string environment = "";
};

// One command of entrepotctl. Parsing and help follow from it.
struct Command {
  std::string name;  // "users create"
  std::vector<Argument> arguments = {};
  std::vector<Option> options = {};
  // One line, an imperative without a full stop: "Create a user".
  std::string summary;
  // Further paragraphs of its help; may be empty.
  std::string details = "";
  // Command lines, at least one, each beginning with "entrepotctl ".
  std::vector<std::string> examples;
  // Executes the command and prints its result to the standard output. Returns the exit code; an error status becomes
  // a message on the standard error and, if it is kInvalidArgument, kUsage, else kFailed.
  absl::StatusOr<int> (*run)(const CommandLine& line, RegistryClient& registry);
};

// The options that every command has.
const std::vector<Option>& GlobalOptions();

// A command with its arguments and options, or a text to print instead. ParseCommandLine() makes it.
class CommandLine {
 public:
  explicit CommandLine(std::string text) : text_(std::move(text)) {}
  CommandLine(const Command* command, std::vector<std::string> arguments,
              std::map<std::string, std::vector<std::string>> options)
      : command_(command), arguments_(std::move(arguments)), options_(std::move(options)) {}

  // Null if there is only text() to print: help or the version.
  const Command* command() const { return command_; }
  const std::string& text() const { return text_; }

  // Empty if it was left out.
  std::string argument(size_t index) const { return index < arguments_.size() ? arguments_[index] : ""; }
  // All from `index` on, for an argument that is repeatable.
  std::vector<std::string> ArgumentsFrom(size_t index) const;
  // Whether the option or flag was given, on the command line or by its environment variable.
  bool Has(const std::string& option) const { return options_.count(option) > 0; }
  // The last value; empty if the option was not given.
  std::string Value(const std::string& option) const;
  // All values, in their order; empty if the option was not given.
  std::vector<std::string> Values(const std::string& option) const;
  // Whether results are printed as JSON: --output json.
  bool json() const { return Value("--output") == "json"; }

 private:
  std::string text_;
  const Command* command_ = nullptr;
  std::vector<std::string> arguments_;
  std::map<std::string, std::vector<std::string>> options_;
};

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_COMMAND_LINE_COMMAND_H_
