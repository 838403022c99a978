#include "services/ctl/command_line/command_parser.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/runtime/version.h"
#include "services/status/status_matchers.h"

namespace entrepot::ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

absl::StatusOr<int> DoNothing(const CommandLine&, RegistryClient&) { return kOk; }

const std::vector<Command>& Commands() {
  static const std::vector<Command> commands = {
      {.name = "users list", .summary = "List users", .examples = {"entrepotctl users list"}, .run = DoNothing},
      {.name = "users create",
       .arguments = {{.name = "NAME", .help = "the user"}},
       .options = {{.name = "--new-password-file", .value = "FILE", .help = "its first line"}},
       .summary = "Create a user",
       .details = "The policy decides.",
       .examples = {"entrepotctl users create alice", "entrepotctl users create bob"},
       .run = DoNothing},
      {.name = "explain",
       .arguments = {{.name = "SUBJECT", .help = ""}, {.name = "ACTION", .help = ""}},
       .summary = "Show why",
       .examples = {"entrepotctl explain ci push"},
       .run = DoNothing},
      {.name = "robots create",
       .arguments = {{.name = "NAME", .help = ""}},
       .options = {{.name = "--allow", .value = "SCOPE", .help = "", .required = true, .repeatable = true}},
       .summary = "Create a robot",
       .examples = {"entrepotctl robots create x --allow y"},
       .run = DoNothing},
      {.name = "backup",
       .arguments = {{.name = "NAME", .help = "", .required = false}},
       .options = {{.name = "--quickly", .value = "", .help = "no pauses"}},
       .summary = "Copy",
       .examples = {"entrepotctl backup"},
       .run = DoNothing},
      {.name = "export",
       .arguments = {{.name = "PATH", .help = ""}, {.name = "IMAGE", .help = "", .repeatable = true}},
       .options = {{.name = "--platform", .value = "P", .help = "", .repeatable = true}},
       .summary = "Write",
       .examples = {"entrepotctl export x y"},
       .run = DoNothing},
      {.name = "scrub", .summary = "Verify", .examples = {"entrepotctl scrub"}, .run = DoNothing},
      {.name = "scrub status", .summary = "Show progress", .examples = {"entrepotctl scrub status"}, .run = DoNothing},
  };
  return commands;
}

class CommandParserTest : public testing::Test {
 protected:
  CommandParserTest() {
    ::unsetenv("ENTREPOT_REGISTRY");
    ::unsetenv("ENTREPOT_USERNAME");
  }

  static absl::StatusOr<CommandLine> Parse(const std::vector<std::string>& words) {
    return ParseCommandLine(words, Commands());
  }

  static std::string Text(const std::vector<std::string>& words) {
    const absl::StatusOr<CommandLine> line = Parse(words);
    EXPECT_OK(line.status());
    if (!line.ok()) return "";
    EXPECT_EQ(line->command(), nullptr);
    return line->text();
  }

  static std::string Error(const std::vector<std::string>& words) {
    const absl::StatusOr<CommandLine> line = Parse(words);
    EXPECT_THAT(line, StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(std::string(line.status().message()), Not(HasSubstr("\n")));
    return std::string(line.status().message());
  }
};

TEST_F(CommandParserTest, OptionsOfEveryCommandMayStandAnywhere) {
  ASSERT_OK_AND_ASSIGN(const CommandLine line, Parse({"--registry", "http://r:1", "users", "--output=json", "create",
                                                      "alice", "--new-password-file=f=g"}));
  ASSERT_NE(line.command(), nullptr);
  EXPECT_EQ(line.command()->name, "users create");
  EXPECT_THAT(line.text(), IsEmpty());
  EXPECT_EQ(line.argument(0), "alice");
  EXPECT_EQ(line.Value("--registry"), "http://r:1");
  EXPECT_EQ(line.Value("--new-password-file"), "f=g");
  EXPECT_TRUE(line.json());
  EXPECT_FALSE(line.Has("--username"));
  EXPECT_EQ(line.Value("--username"), "");
}

TEST_F(CommandParserTest, ValuesStandInTheSameWordOrTheNext) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"users", "list", "--ca-file=a"}, {"users", "list", "--ca-file", "a"}}) {
    ASSERT_OK_AND_ASSIGN(const CommandLine line, Parse(words));
    EXPECT_EQ(line.Value("--ca-file"), "a");
  }
}

TEST_F(CommandParserTest, ValuesMayLookLikeAnything) {
  for (const char* value : {"-", "users", "[a,b]", "a b", "x=y", "ünïcode", "--help"}) {
    ASSERT_OK_AND_ASSIGN(const CommandLine line, Parse({"users", "create", "n", "--new-password-file", value}));
    EXPECT_EQ(line.Value("--new-password-file"), value);
  }
}

TEST_F(CommandParserTest, RepeatableOptionsKeepAllValuesOthersTheLast) {
  ASSERT_OK_AND_ASSIGN(const CommandLine line, Parse({"robots", "create", "--allow", "a:pull", "x", "--allow=[b]:push",
                                                      "--username", "first", "--username", "last"}));
  EXPECT_THAT(line.Values("--allow"), ElementsAre("a:pull", "[b]:push"));
  EXPECT_EQ(line.argument(0), "x");
  EXPECT_EQ(line.Value("--username"), "last");
  EXPECT_THAT(line.Values("--ca-file"), IsEmpty());
}

TEST_F(CommandParserTest, TakesValuesFromTheEnvironment) {
  ::setenv("ENTREPOT_REGISTRY", "https://r.example", 1);
  ::setenv("ENTREPOT_USERNAME", "", 1);
  ASSERT_OK_AND_ASSIGN(CommandLine line, Parse({"users", "list"}));
  EXPECT_EQ(line.Value("--registry"), "https://r.example");
  EXPECT_FALSE(line.Has("--username")) << "an empty variable counts as none";
  ASSERT_OK_AND_ASSIGN(line, Parse({"users", "list", "--registry", "http://other"}));
  EXPECT_EQ(line.Value("--registry"), "http://other");
  ::unsetenv("ENTREPOT_REGISTRY");
  ::unsetenv("ENTREPOT_USERNAME");
}

TEST_F(CommandParserTest, FlagsHaveNoValueAndTheLastArgumentMayBeOptional) {
  ASSERT_OK_AND_ASSIGN(CommandLine line, Parse({"backup", "--quickly", "nightly"}));
  EXPECT_TRUE(line.Has("--quickly"));
  EXPECT_EQ(line.argument(0), "nightly");
  ASSERT_OK_AND_ASSIGN(line, Parse({"backup"}));
  EXPECT_FALSE(line.Has("--quickly"));
  EXPECT_EQ(line.argument(0), "");
  EXPECT_THAT(Error({"backup", "--quickly=yes"}), HasSubstr("--quickly takes no value"));
}

TEST_F(CommandParserTest, ACommandMayHaveCommandsBelowIt) {
  ASSERT_OK_AND_ASSIGN(CommandLine line, Parse({"scrub"}));
  EXPECT_EQ(line.command()->name, "scrub");
  ASSERT_OK_AND_ASSIGN(line, Parse({"scrub", "status"}));
  EXPECT_EQ(line.command()->name, "scrub status");
  EXPECT_THAT(Text({"scrub", "--help"}), HasSubstr("Further commands:\n  entrepotctl scrub status  Show progress\n"));
}

TEST_F(CommandParserTest, WordsBehindTwoDashesAreArguments) {
  ASSERT_OK_AND_ASSIGN(const CommandLine line, Parse({"users", "create", "--", "--help"}));
  ASSERT_NE(line.command(), nullptr);
  EXPECT_EQ(line.argument(0), "--help");
}

TEST_F(CommandParserTest, HelpOfTheProgramListsAllCommands) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{}, {"help"}, {"--help"}, {"-h"}}) {
    const std::string text = Text(words);
    EXPECT_THAT(text, HasSubstr("Usage: entrepotctl COMMAND [OPTIONS]\n"));
    EXPECT_THAT(text, HasSubstr("\n  entrepotctl users create NAME       Create a user\n"));
    EXPECT_THAT(text, HasSubstr("\n  entrepotctl explain SUBJECT ACTION"));
    EXPECT_THAT(text, HasSubstr("\n  entrepotctl backup [NAME]"));
    EXPECT_THAT(text, HasSubstr("\n  --registry URL"));
    EXPECT_THAT(text, HasSubstr("\n  --version"));
    EXPECT_THAT(text, HasSubstr("Exit codes:\n"));
    EXPECT_THAT(text, HasSubstr("Examples:\n"));
  }
}

TEST_F(CommandParserTest, HelpOfAGroupListsItsCommands) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"users"}, {"users", "--help"}}) {
    const std::string text = Text(words);
    EXPECT_THAT(text, HasSubstr("Usage: entrepotctl users COMMAND [OPTIONS]\n"));
    EXPECT_THAT(text, HasSubstr("\n  entrepotctl users list         List users\n"));
    EXPECT_THAT(text, HasSubstr("\n`entrepotctl users COMMAND --help` describes a command.\n"));
    EXPECT_THAT(text, Not(HasSubstr("robots")));
  }
}

TEST_F(CommandParserTest, HelpOfACommandDescribesItsWordsAndHasExamples) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"users", "create", "--help"},
                                                {"help", "users", "create"},
                                                {"users", "-h", "create"},
                                                {"users", "create", "alice", "--colour", "--help"}}) {
    const std::string text = Text(words);
    EXPECT_THAT(text, HasSubstr("Create a user\n\nUsage: entrepotctl users create NAME [OPTIONS]\n"));
    EXPECT_THAT(text, HasSubstr("\n  NAME                    the user\n"));
    EXPECT_THAT(text, HasSubstr("\n  --new-password-file FILE\n                          its first line\n"));
    EXPECT_THAT(text, HasSubstr("\nThe policy decides.\n"));
    EXPECT_THAT(text, HasSubstr("\nExamples:\n  entrepotctl users create alice\n  entrepotctl users create bob\n"));
    EXPECT_THAT(text, HasSubstr("\nOptions of every command:\n"));
  }
}

TEST_F(CommandParserTest, Version) {
  const std::string version = absl::StrCat("entrepotctl ", runtime::kVersion, "\n");
  EXPECT_EQ(Text({"--version"}), version);
  EXPECT_EQ(Text({"users", "list", "--version"}), version);
}

TEST_F(CommandParserTest, ErrorsNameTheWordAtFault) {
  EXPECT_EQ(Error({"user", "list"}), "unknown command user (see: entrepotctl --help)");
  EXPECT_EQ(Error({"users", "make"}), "unknown command users make (see: entrepotctl users --help)");
  EXPECT_EQ(Error({"users", "make", "--help"}), "unknown command users make (see: entrepotctl users --help)");
  EXPECT_EQ(Error({"users", "create"}), "NAME is required (see: entrepotctl users create --help)");
  EXPECT_EQ(Error({"users", "list", "x"}), "unexpected argument x (see: entrepotctl users list --help)");
  EXPECT_EQ(Error({"explain", "ci"}), "ACTION is required (see: entrepotctl explain --help)");
  EXPECT_EQ(Error({"robots", "create", "x"}), "--allow is required (see: entrepotctl robots create --help)");
  EXPECT_EQ(Error({"users", "list", "--colour"}), "unknown option --colour (see: entrepotctl users list --help)");
  EXPECT_EQ(Error({"users", "list", "-x"}), "unknown option -x (see: entrepotctl users list --help)");
  EXPECT_EQ(Error({"users", "list", "--allow", "x"}), "unknown option --allow (see: entrepotctl users list --help)");
  EXPECT_EQ(Error({"users", "create", "--colour"}), "unknown option --colour (see: entrepotctl users create --help)");
}

TEST_F(CommandParserTest, ErrorsNameTheOptionWhoseValueIsWrong) {
  EXPECT_EQ(Error({"users", "list", "--registry"}), "--registry needs a value (see: entrepotctl users list --help)");
  EXPECT_THAT(Error({"users", "list", "--registry="}), HasSubstr("--registry needs a value"));
  EXPECT_THAT(Error({"--registry=", "users", "list"}), HasSubstr("--registry needs a value"));
  EXPECT_EQ(Error({"users", "list", "--output", "xml"}),
            "--output: xml is not one of table, json (see: entrepotctl users list --help)");
  EXPECT_THAT(Error({"users", "list", "--output", "JSON"}), HasSubstr("--output: JSON is not one of table, json"));
}

TEST_F(CommandParserTest, RefusesPasswordsAndDoesNotRepeatThem) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"users", "list", "--password=hunter2"},
                                                {"users", "list", "--password", "hunter2"},
                                                {"--password", "hunter2", "users", "list"},
                                                {"users", "list", "-p", "hunter2"},
                                                {"users", "list", "-phunter2"},
                                                {"-p", "hunter2"}}) {
    const std::string error = Error(words);
    EXPECT_THAT(error, HasSubstr("a password on the command line is visible to others"));
    EXPECT_THAT(error, Not(HasSubstr("hunter2")));
  }
  EXPECT_THAT(Error({"users", "list", "--secret=hunter2"}), Not(HasSubstr("hunter2")));
}

TEST_F(CommandParserTest, TheLastArgumentMayBeRepeatable) {
  const auto line =
      ParseCommandLine({"export", "x.tar", "a:1", "--platform", "p", "b:2", "--platform=q", "c:3"}, Commands());
  ASSERT_OK(line.status());
  EXPECT_EQ(line->argument(0), "x.tar");
  EXPECT_THAT(line->ArgumentsFrom(1), ElementsAre("a:1", "b:2", "c:3"));
  EXPECT_THAT(line->Values("--platform"), ElementsAre("p", "q"));
  EXPECT_THAT(line->ArgumentsFrom(9), IsEmpty());
  EXPECT_EQ(Error({"export", "x.tar"}), "IMAGE is required (see: entrepotctl export --help)");
  const auto help = ParseCommandLine({"export", "--help"}, Commands());
  ASSERT_OK(help.status());
  EXPECT_THAT(help->text(), HasSubstr("entrepotctl export PATH IMAGE... [OPTIONS]"));
}

}  // namespace
}  // namespace entrepot::ctl
