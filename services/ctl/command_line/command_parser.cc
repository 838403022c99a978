#include "services/ctl/command_line/command_parser.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "services/runtime/version.h"

namespace entrepot::ctl {
namespace {

constexpr char kProgram[] = "entrepotctl";
constexpr char kSummary[] = "Administers an Entrepot registry and maintains its stored content.";
constexpr char kFooter[] = R"(
Exit codes:
  0  success
  1  the registry refused, the command failed, (check, scrub) stored content is damaged or cannot
     be read, or (policy check, retention check) the file has mistakes
  2  the command line, or a file that it names, is invalid
  3  (explain) the answer is "denied"

Examples:
  export ENTREPOT_REGISTRY=https://registry.example ENTREPOT_USERNAME=admin
  entrepotctl users list
  entrepotctl robots create deploy --allow 'driftwood/**:pull' --expires 30d
  entrepotctl explain ci push driftwood/web
  entrepotctl gc status
  entrepotctl backup && entrepotctl check

`entrepotctl COMMAND --help` describes a command.
)";
constexpr char kHelpFlag[] = "-h,--help";
constexpr char kGlobalGroup[] = "Options of every command";
constexpr size_t kOptionColumn = 26;
// The shell's limit comes first.
constexpr int kArgumentsMax = 1'000'000;

// "entrepotctl users create"
std::string PathOf(const CLI::App* app) {
  const CLI::App* parent = app->get_parent();
  return parent == nullptr ? app->get_name() : absl::StrCat(PathOf(parent), " ", app->get_name());
}

// "entrepotctl users create NAME"
std::string UsageOf(const CLI::App* app) {
  std::string usage = PathOf(app);
  for (const CLI::Option* argument : app->get_options([](const CLI::Option* o) { return o->get_positional(); })) {
    const std::string name = argument->get_name(/*positional=*/true);
    absl::StrAppend(&usage, " ", argument->get_required() ? name : absl::StrCat("[", name, "]"),
                    argument->get_expected_max() > 1 ? "..." : "");
  }
  return usage;
}

// Groups ("users") have no description, commands do.
bool IsCommand(const CLI::App* app) { return !app->get_description().empty(); }

// The commands below `app`, in the order of the table.
void AddCommands(const CLI::App* app, std::vector<const CLI::App*>* commands) {
  for (const CLI::App* child : app->get_subcommands([](const CLI::App*) { return true; })) {
    if (IsCommand(child)) commands->push_back(child);
    AddCommands(child, commands);
  }
}

class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(kOptionColumn); }

  std::string make_help(const CLI::App* app, std::string, CLI::AppFormatMode mode) const override {
    const bool root = app->get_parent() == nullptr;
    std::string help;
    if (IsCommand(app)) absl::StrAppend(&help, app->get_description(), "\n\n");
    absl::StrAppend(&help, "Usage: ", root || !IsCommand(app) ? absl::StrCat(PathOf(app), " COMMAND") : UsageOf(app),
                    " [OPTIONS]\n", CommandList(app), make_positionals(app));
    if (!root) absl::StrAppend(&help, make_groups(app, mode));
    absl::StrAppend(&help, root ? "" : app->get_footer(), make_groups(Root(app), mode), root ? app->get_footer() : "");
    return help;
  }

  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_positional() || option->get_type_name().empty() ? ""
                                                                       : absl::StrCat(" ", option->get_type_name());
  }

 private:
  static const CLI::App* Root(const CLI::App* app) {
    while (app->get_parent() != nullptr) app = app->get_parent();
    return app;
  }

  static std::string CommandList(const CLI::App* app) {
    std::vector<const CLI::App*> commands;
    AddCommands(app, &commands);
    if (commands.empty()) return "";
    size_t width = 0;
    for (const CLI::App* command : commands) width = std::max(width, UsageOf(command).size());
    std::string text = IsCommand(app) && app->get_parent() != nullptr ? "\nFurther commands:\n" : "\nCommands:\n";
    for (const CLI::App* command : commands) {
      const std::string usage = UsageOf(command);
      absl::StrAppend(&text, "  ", usage, std::string(width - usage.size() + 2, ' '), command->get_description(), "\n");
    }
    return text;
  }
};

// The part of a command's help that follows its options.
std::string FooterOf(const Command& command) {
  std::string footer;
  if (!command.details.empty()) absl::StrAppend(&footer, "\n", command.details, "\n");
  absl::StrAppend(&footer, command.examples.size() == 1 ? "\nExample:\n" : "\nExamples:\n");
  for (const std::string& example : command.examples) absl::StrAppend(&footer, "  ", example, "\n");
  return footer;
}

// A password typed on the command line is in the list of processes and in the shell's history.
bool IsPasswordOption(absl::string_view word) {
  return absl::StartsWith(word, "--password") || (absl::StartsWith(word, "-p") && !absl::StartsWith(word, "--"));
}

class Parser {
 public:
  explicit Parser(const std::vector<Command>& commands) : app_(kSummary, kProgram) {
    app_.formatter(std::make_shared<HelpFormatter>());
    app_.fallthrough();
    app_.require_subcommand(0, 1);
    app_.footer(kFooter);
    app_.get_formatter()->label("Positionals", "Arguments");
    for (const Option& option : GlobalOptions()) AddOption(option, &app_)->group(kGlobalGroup);
    app_.set_version_flag("--version", absl::StrCat(kProgram, " ", runtime::kVersion))
        ->group(kGlobalGroup)
        ->description("print the version");
    app_.set_help_flag(kHelpFlag, "print this help")->group(kGlobalGroup);
    for (const Command& command : commands) Add(command);
  }

  absl::StatusOr<CommandLine> Parse(const std::vector<std::string>& words) {
    try {
      app_.parse(std::vector<std::string>(words.rbegin(), words.rend()));
    } catch (const CLI::CallForVersion& version) {
      return CommandLine(absl::StrCat(version.what(), "\n"));
    } catch (const CLI::CallForHelp&) {
      // "users mkae --help" must not look as if there were such a command.
      if (CommandOf(Selected()) == nullptr && !Unexpected().empty()) return UnexpectedWord();
      return CommandLine(app_.help());
    } catch (const CLI::ParseError& error) {
      return Unexpected().empty() ? Misused(Describe(error, words)) : UnexpectedWord();
    }
    const CLI::App* selected = Selected();
    const Command* command = CommandOf(selected);
    if (command == nullptr) return CommandLine(app_.help());
    return ResultOf(*command, selected);
  }

 private:
  static CLI::Option* AddOption(const Option& option, CLI::App* app) {
    if (option.value.empty()) return app->add_flag(option.name, option.help)->disable_flag_override();
    CLI::Option* added = app->add_option(option.name, option.help);
    added->type_name(option.value)->required(option.required);
    added->multi_option_policy(option.repeatable ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::TakeLast);
    if (!option.environment.empty()) added->envname(option.environment);
    if (!option.choices.empty()) {
      added->check(CLI::Validator(
          [choices = option.choices](const std::string& value) {
            return absl::c_linear_search(choices, value)
                       ? std::string()
                       : absl::StrCat(value, " is not one of ", absl::StrJoin(choices, ", "));
          },
          /*validator_desc=*/""));
    }
    return added;
  }

  void Add(const Command& command) {
    CLI::App* app = &app_;
    for (const absl::string_view word : absl::StrSplit(command.name, ' ')) {
      const auto found = app->get_subcommands([&](const CLI::App* some) { return some->get_name() == word; });
      CLI::App* child = found.empty() ? nullptr : found.front();
      if (child == nullptr) {
        child = app->add_subcommand(std::string(word));
        child->require_subcommand(0, 1);
        child->footer(absl::StrCat("\n`", PathOf(child), " COMMAND --help` describes a command.\n"));
        // Hidden here: it stands among the options of every command.
        child->set_help_flag(kHelpFlag)->group("");
      }
      app = child;
    }
    app->description(command.summary);
    app->footer(FooterOf(command));
    for (const Argument& argument : command.arguments) {
      CLI::Option* const added = app->add_option(argument.name, argument.help)->required(argument.required);
      if (argument.repeatable) added->expected(1, kArgumentsMax)->allow_extra_args();
    }
    for (const Option& option : command.options) AddOption(option, app);
    commands_[app] = &command;
  }

  // The command or group that was named, as far as its words were understood.
  const CLI::App* Selected() const {
    const CLI::App* app = &app_;
    for (auto parsed = app->get_subcommands(); !parsed.empty(); parsed = app->get_subcommands()) app = parsed.front();
    return app;
  }

  // Null for a group.
  const Command* CommandOf(const CLI::App* app) const {
    const auto found = commands_.find(app);
    return found == commands_.end() ? nullptr : found->second;
  }

  CommandLine ResultOf(const Command& command, const CLI::App* app) const {
    std::vector<std::string> arguments;
    for (const Argument& argument : command.arguments) {
      const CLI::Option* given = app->get_option(argument.name);
      if (given->empty()) continue;
      if (argument.repeatable) {
        arguments.insert(arguments.end(), given->results().begin(), given->results().end());
      } else {
        arguments.push_back(given->results().back());
      }
    }
    std::map<std::string, std::vector<std::string>> options;
    for (const auto& [table, owner] : {std::pair(&command.options, app), std::pair(&GlobalOptions(), &app_)}) {
      for (const Option& option : *table) {
        const CLI::Option* given = owner->get_option(option.name);
        if (!given->empty()) options[option.name] = given->results();
      }
    }
    return CommandLine(&command, std::move(arguments), std::move(options));
  }

  // Words that are neither options nor arguments of the selected command.
  std::vector<std::string> Unexpected() const {
    std::vector<std::string> words = app_.remaining(/*recurse=*/true);
    words.erase(std::remove(words.begin(), words.end(), "--"), words.end());
    return words;
  }

  absl::Status UnexpectedWord() const {
    const std::string word = Unexpected().front();
    if (IsPasswordOption(word)) {
      return Misused("a password on the command line is visible to others: use --password-file or ENTREPOT_PASSWORD");
    }
    const bool option = absl::StartsWith(word, "-") && word.size() > 1;
    if (option) return Misused(absl::StrCat("unknown option ", word.substr(0, word.find('='))));
    if (CommandOf(Selected()) != nullptr) return Misused(absl::StrCat("unexpected argument ", word));
    const std::string path = absl::StrCat(PathOf(Selected()), " ", word);
    return Misused(absl::StrCat("unknown command ", absl::StripPrefix(path, absl::StrCat(kProgram, " "))));
  }

  static std::string Describe(const CLI::ParseError& error, const std::vector<std::string>& words) {
    if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) == nullptr) return error.what();
    // A value is missing only if the words end behind its option.
    const std::string& last = words.back();
    if (absl::StartsWith(last, "-") && !absl::StrContains(last, "=")) return absl::StrCat(last, " needs a value");
    // "<flag> was given a disallowed flag override", without the flag's dashes.
    const std::string problem = error.what();
    return absl::StrCat("--", problem.substr(0, problem.find(' ')), " takes no value");
  }

  absl::Status Misused(absl::string_view problem) const {
    return absl::InvalidArgumentError(absl::StrCat(problem, " (see: ", PathOf(Selected()), " --help)"));
  }

  CLI::App app_;
  std::map<const CLI::App*, const Command*> commands_;
};

// CLI11 takes `--name= word` for `--name word`. "" if there is no such word.
std::string OptionWithEmptyValue(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--") break;
    if (absl::StartsWith(word, "--") && absl::EndsWith(word, "=")) return word.substr(0, word.size() - 1);
  }
  return "";
}

}  // namespace

absl::StatusOr<CommandLine> ParseCommandLine(std::vector<std::string> words, const std::vector<Command>& commands) {
  if (!words.empty() && words.front() == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  if (const std::string option = OptionWithEmptyValue(words); !option.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(option, " needs a value (see: ", kProgram, " --help)"));
  }
  return Parser(commands).Parse(words);
}

}  // namespace entrepot::ctl
