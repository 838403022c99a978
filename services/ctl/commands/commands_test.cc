#include "services/ctl/commands/commands.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ctl/command_line/command_parser.h"
#include "services/ctl/testing/command_test_fixture.h"
#include "services/runtime/version.h"
#include "services/status/status_matchers.h"

namespace entrepot::ctl {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class CommandsTest : public CommandTest {};

// The words of an example as a shell splits them, up to its first redirection or operator.
std::vector<std::string> WordsOf(const std::string& example) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  for (const char c : absl::StrCat(example, " ")) {
    if (c == '\'') {
      quoted = !quoted;
    } else if (quoted || !(c == ' ' || c == '\\' || c == '\n')) {
      word += c;
    } else if (!word.empty()) {
      if (word[0] == '<' || word[0] == '>' || word == "&&") break;
      words.push_back(word);
      word.clear();
    }
  }
  words.erase(words.begin());  // "entrepotctl"
  return words;
}

TEST_F(CommandsTest, EveryCommandIsDescribedAndHasAnExampleThatParses) {
  std::set<std::string> names;
  for (const Command& command : AllCommands()) {
    EXPECT_TRUE(names.insert(command.name).second) << command.name;
    EXPECT_NE(command.run, nullptr) << command.name;
    EXPECT_FALSE(command.summary.empty() || absl::EndsWith(command.summary, ".")) << command.name;
    for (const Argument& argument : command.arguments) EXPECT_FALSE(argument.help.empty()) << command.name;
    for (const Option& option : command.options) EXPECT_FALSE(option.help.empty()) << command.name << option.name;
    EXPECT_FALSE(command.examples.empty()) << command.name;
    for (const std::string& example : command.examples) {
      EXPECT_THAT(example, StartsWith(absl::StrCat("entrepotctl ", command.name)));
      const absl::StatusOr<CommandLine> line = ParseCommandLine(WordsOf(example), AllCommands());
      ASSERT_OK(line.status()) << example;
      EXPECT_EQ(line->command(), &command) << example;
    }
  }
}

TEST_F(CommandsTest, HelpLinesFitATerminal) {
  std::vector<std::vector<std::string>> all = {{}};
  for (const Command& command : AllCommands()) all.push_back(absl::StrSplit(command.name, ' '));
  for (std::vector<std::string>& words : all) {
    words.push_back("--help");
    const Outcome outcome = Run(words);
    EXPECT_EQ(outcome.code, kOk);
    for (const absl::string_view line : absl::StrSplit(outcome.out, '\n')) EXPECT_LE(line.size(), 140u) << line;
  }
}

TEST_F(CommandsTest, HelpAndVersionGoToTheStandardOutput) {
  const Outcome version = Run({"--version"});
  EXPECT_EQ(version.code, kOk);
  EXPECT_EQ(version.out, absl::StrCat("entrepotctl ", runtime::kVersion, "\n"));
  EXPECT_EQ(version.err, "");
  const Outcome help = Run({});
  EXPECT_EQ(help.code, kOk);
  EXPECT_EQ(help.err, "");
  for (const Command& command : AllCommands()) EXPECT_THAT(help.out, HasSubstr(command.summary));
}

TEST_F(CommandsTest, MisuseIsOneLineAndExitCodeTwo) {
  EXPECT_EQ(UsageError({"user", "list"}), "entrepotctl: unknown command user (see: entrepotctl --help)\n");
}

}  // namespace
}  // namespace entrepot::ctl
