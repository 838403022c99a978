#include "services/ctl/command_line.h"

#include <algorithm>
#include <cstddef>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

constexpr absl::string_view kGlobalOptions[] = {"--registry", "--username", "--password-file", "--ca-file", "--output"};

constexpr absl::string_view kGlobalHelp = R"(
Options of every command:
  --registry URL        the registry; default: $ENTREPOT_REGISTRY, or http://localhost:5000
  --username NAME       who you are, an administrator of the policy; default: $ENTREPOT_USERNAME
  --password-file FILE  your password, the file's first line; default: $ENTREPOT_PASSWORD, or you are asked
  --ca-file FILE        who signed the registry's certificate, where the system does not know them (PEM)
  --output table|json   for people (default), or for scripts
)";

constexpr absl::string_view kExitCodes = R"(
Exit codes: 0 done; 1 refused or failed, or (check, scrub) something is broken; 2 not understood; 3 (explain) denied.
)";

constexpr absl::string_view kExamples = R"(
Examples:
  export ENTREPOT_REGISTRY=https://registry.example ENTREPOT_USERNAME=admin
  entrepotctl users list
  entrepotctl robots create deploy --allow 'driftwood/**:pull' --expires 720h
  entrepotctl explain ci push driftwood/web
  entrepotctl gc status
  entrepotctl backup && entrepotctl check

`entrepotctl COMMAND --help` says more of each.
)";

absl::Status Misused(absl::string_view problem, absl::string_view command) {
  return absl::InvalidArgumentError(
      absl::StrCat(problem, " (entrepotctl ", command, command.empty() ? "" : " ", "--help shows how it is used)"));
}

std::string Usage(const Command& command) {
  std::string usage = absl::StrCat("entrepotctl ", command.name);
  for (const std::string& argument : command.arguments) absl::StrAppend(&usage, " ", argument);
  return usage;
}

// The commands that begin with `prefix`, all where it is empty.
std::string ListOf(const std::vector<Command>& commands, absl::string_view prefix) {
  std::vector<const Command*> listed;
  size_t width = 0;
  for (const Command& command : commands) {
    if (!absl::StartsWith(command.name, prefix)) continue;
    listed.push_back(&command);
    width = std::max(width, Usage(command).size());
  }
  std::string text;
  for (const Command* command : listed) {
    const std::string usage = Usage(*command);
    absl::StrAppend(&text, "  ", usage, std::string(width - usage.size() + 2, ' '), command->summary, "\n");
  }
  return text;
}

std::string HelpOfAll(const std::vector<Command>& commands) {
  return absl::StrCat("Administers an Entrepot registry, and looks after what it stores.\n\n", ListOf(commands, ""),
                      kGlobalHelp, kExitCodes, kExamples);
}

std::string HelpOfGroup(const std::vector<Command>& commands, absl::string_view group) {
  return absl::StrCat(ListOf(commands, absl::StrCat(group, " ")), "\n`entrepotctl ", group,
                      " COMMAND --help` says more of each.\n", kGlobalHelp);
}

std::string HelpOf(const Command& command) {
  return absl::StrCat("usage: ", Usage(command), command.options.empty() && command.flags.empty() ? "" : " [options]",
                      "\n\n", command.summary, "\n", command.help, kGlobalHelp);
}

bool IsGroup(const std::vector<Command>& commands, const std::string& word) {
  return absl::c_any_of(
      commands, [&](const Command& command) { return absl::StartsWith(command.name, absl::StrCat(word, " ")); });
}

// Splits what was typed into options with their values and all else.
struct Words {
  bool help = false;
  std::vector<std::string> plain;
  std::map<std::string, std::vector<std::string>> options;
};

bool IsKnownOption(const std::vector<Command>& commands, const std::string& name) {
  return absl::c_linear_search(kGlobalOptions, name) ||
         absl::c_any_of(commands, [&](const Command& command) { return absl::c_linear_search(command.options, name); });
}

bool IsFlag(const std::vector<Command>& commands, const std::string& name) {
  return absl::c_any_of(commands, [&](const Command& command) { return absl::c_linear_search(command.flags, name); });
}

bool MayBeLeftOut(absl::string_view argument) { return absl::StartsWith(argument, "["); }

bool Fits(const Command& command, size_t arguments) {
  const size_t all = command.arguments.size();
  return arguments == all || (all > 0 && arguments == all - 1 && MayBeLeftOut(command.arguments.back()));
}

absl::StatusOr<Words> Sort(const std::vector<std::string>& words, const std::vector<Command>& commands) {
  Words sorted;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--") {
      sorted.plain.insert(sorted.plain.end(), words.begin() + static_cast<ptrdiff_t>(i) + 1, words.end());
      break;
    }
    if (words[i] == "--help" || words[i] == "-h") {
      sorted.help = true;
    } else if (IsFlag(commands, words[i])) {
      sorted.options[words[i]];
    } else if (words[i].size() < 2 || words[i][0] != '-') {
      sorted.plain.push_back(words[i]);
    } else {
      const std::pair<std::string, std::string> split = absl::StrSplit(words[i], absl::MaxSplits('=', 1));
      if (!IsKnownOption(commands, split.first)) {
        const bool password = absl::StartsWith(split.first, "--password") || split.first == "-p";
        return Misused(password ? "a password is never given on the command line, where others see it: use "
                                  "--password-file or ENTREPOT_PASSWORD"
                                : absl::StrCat("unknown option ", split.first),
                       "");
      }
      const bool joined = absl::StrContains(words[i], "=");
      if (!joined && i + 1 == words.size()) return Misused(absl::StrCat(split.first, " needs a value"), "");
      sorted.options[split.first].push_back(joined ? split.second : words[++i]);
    }
  }
  return sorted;
}

const Command* Find(const std::vector<Command>& commands, const std::vector<std::string>& words) {
  for (const Command& command : commands) {
    const std::vector<std::string> name = absl::StrSplit(command.name, ' ');
    if (words.size() >= name.size() && std::equal(name.begin(), name.end(), words.begin())) return &command;
  }
  return nullptr;
}

absl::Status CheckOptions(const Command& command, const std::map<std::string, std::vector<std::string>>& options) {
  for (const auto& [name, values] : options) {
    if (!absl::c_linear_search(kGlobalOptions, name) && !absl::c_linear_search(command.options, name) &&
        !absl::c_linear_search(command.flags, name)) {
      return Misused(absl::StrCat(name, " is no option of this command"), command.name);
    }
    if (name == "--output" && values.back() != "table" && values.back() != "json") {
      return Misused(absl::StrCat("--output is table or json, not ", values.back()), "");
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string CommandLine::Option(const std::string& name) const {
  const auto found = options.find(name);
  return found == options.end() ? "" : found->second.back();
}

absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& words,
                                             const std::vector<Command>& commands) {
  ASSIGN_OR_RETURN(const Words sorted, Sort(words, commands));
  CommandLine line;
  if (sorted.plain.empty() || sorted.plain.front() == "help") {
    line.help = HelpOfAll(commands);
    return line;
  }
  line.command = Find(commands, sorted.plain);
  if (line.command == nullptr) {
    const std::string& first = sorted.plain.front();
    if (!IsGroup(commands, first)) return Misused(absl::StrCat("there is no command ", first), "");
    if (sorted.plain.size() > 1) {
      return Misused(absl::StrCat("there is no command ", first, " ", sorted.plain[1]), first);
    }
    line.help = HelpOfGroup(commands, first);
    return line;
  }
  if (sorted.help) {
    line.help = HelpOf(*line.command);
    return line;
  }
  const size_t name_words = static_cast<size_t>(absl::c_count(line.command->name, ' ')) + 1;
  line.arguments.assign(sorted.plain.begin() + static_cast<ptrdiff_t>(name_words), sorted.plain.end());
  if (!Fits(*line.command, line.arguments.size())) {
    return Misused(absl::StrCat("usage: ", Usage(*line.command)), line.command->name);
  }
  RETURN_IF_ERROR(CheckOptions(*line.command, sorted.options));
  line.options = sorted.options;
  return line;
}

}  // namespace entrepot::ctl
