#include "services/ctl/command_line.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::vector<Command>& Commands() {
  static const std::vector<Command> commands = {
      {"users list", {}, {}, "who has a password", "Example: users list\n", nullptr},
      {"users create", {"NAME"}, {"--new-password-file"}, "makes a user", "Example: users create\n", nullptr},
      {"explain", {"SUBJECT", "ACTION", "REPOSITORY"}, {}, "says why", "", nullptr},
      {"robots create", {"NAME"}, {"--allow"}, "makes a robot", "", nullptr},
      {"backup", {"[NAME]"}, {}, "makes a copy", "", nullptr, {"--quickly"}},
  };
  return commands;
}

absl::StatusOr<CommandLine> Parse(const std::vector<std::string>& words) { return ParseCommandLine(words, Commands()); }

std::string Error(const std::vector<std::string>& words) {
  const auto line = Parse(words);
  EXPECT_THAT(line, StatusIs(absl::StatusCode::kInvalidArgument));
  return std::string(line.status().message());
}

TEST(CommandLineTest, OptionsStandAnywhere) {
  ASSERT_OK_AND_ASSIGN(const CommandLine line, Parse({"--registry", "http://r:1", "users", "--output=json", "create",
                                                      "alice", "--new-password-file=f=g"}));
  EXPECT_THAT(line.help, IsEmpty());
  EXPECT_EQ(line.command->name, "users create");
  EXPECT_THAT(line.arguments, ElementsAre("alice"));
  EXPECT_EQ(line.Option("--registry"), "http://r:1");
  EXPECT_EQ(line.Option("--output"), "json");
  EXPECT_EQ(line.Option("--new-password-file"), "f=g");
  EXPECT_EQ(line.Option("--username"), "");
}

TEST(CommandLineTest, AnOptionMayBeGivenManyTimes) {
  ASSERT_OK_AND_ASSIGN(const CommandLine line, Parse({"robots", "create", "--allow", "a:pull", "x", "--allow=b:push"}));
  EXPECT_THAT(line.options.at("--allow"), ElementsAre("a:pull", "b:push"));
  EXPECT_THAT(line.arguments, ElementsAre("x"));
}

TEST(CommandLineTest, AFlagHasNoValueAndAnArgumentMayBeLeftOut) {
  ASSERT_OK_AND_ASSIGN(CommandLine line, Parse({"backup", "--quickly", "nightly"}));
  EXPECT_TRUE(line.Has("--quickly"));
  EXPECT_EQ(line.Argument(0), "nightly");
  ASSERT_OK_AND_ASSIGN(line, Parse({"backup"}));
  EXPECT_FALSE(line.Has("--quickly"));
  EXPECT_EQ(line.Argument(0), "");
  EXPECT_THAT(Error({"backup", "a", "b"}), HasSubstr("usage: entrepotctl backup [NAME]"));
  EXPECT_THAT(Error({"users", "list", "--quickly"}), HasSubstr("--quickly is no option of this command"));
}

TEST(CommandLineTest, BehindTwoDashesNothingIsAnOption) {
  ASSERT_OK_AND_ASSIGN(const CommandLine line, Parse({"users", "create", "--", "--help"}));
  EXPECT_THAT(line.arguments, ElementsAre("--help"));
}

TEST(CommandLineTest, HelpAtEachLevel) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{}, {"help"}, {"--help"}, {"-h"}}) {
    ASSERT_OK_AND_ASSIGN(const CommandLine line, Parse(words));
    EXPECT_THAT(line.help, HasSubstr("entrepotctl users create NAME"));
    EXPECT_THAT(line.help, HasSubstr("--registry URL"));
    EXPECT_THAT(line.help, HasSubstr("Exit codes"));
  }
  for (const std::vector<std::string>& words : {std::vector<std::string>{"users"}, {"users", "--help"}}) {
    ASSERT_OK_AND_ASSIGN(const CommandLine line, Parse(words));
    EXPECT_THAT(line.help, HasSubstr("entrepotctl users list"));
    EXPECT_THAT(line.help, Not(HasSubstr("robots")));
  }
  ASSERT_OK_AND_ASSIGN(const CommandLine line, Parse({"users", "create", "--help"}));
  EXPECT_THAT(line.help, HasSubstr("usage: entrepotctl users create NAME [options]"));
  EXPECT_THAT(line.help, HasSubstr("Example: users create"));
}

TEST(CommandLineTest, SaysWhatIsWrong) {
  EXPECT_EQ(Error({"user", "list"}), "there is no command user (entrepotctl --help shows how it is used)");
  EXPECT_EQ(Error({"users", "make"}), "there is no command users make (entrepotctl users --help shows how it is used)");
  EXPECT_EQ(Error({"users", "create"}),
            "usage: entrepotctl users create NAME (entrepotctl users create --help shows how it is used)");
  EXPECT_THAT(Error({"users", "list", "x"}), HasSubstr("usage: entrepotctl users list"));
  EXPECT_THAT(Error({"explain", "ci", "push"}), HasSubstr("explain SUBJECT ACTION REPOSITORY"));
  EXPECT_THAT(Error({"users", "list", "--colour"}), HasSubstr("unknown option --colour"));
  EXPECT_THAT(Error({"users", "list", "--registry"}), HasSubstr("--registry needs a value"));
  EXPECT_THAT(Error({"users", "list", "--allow", "x"}), HasSubstr("--allow is no option of this command"));
  EXPECT_THAT(Error({"users", "list", "--output", "xml"}), HasSubstr("--output is table or json, not xml"));
}

TEST(CommandLineTest, APasswordIsNoArgumentAndIsNotRepeated) {
  const std::string error = Error({"users", "list", "--password=hunter2"});
  EXPECT_THAT(error, HasSubstr("never given on the command line"));
  EXPECT_THAT(error, Not(HasSubstr("hunter2")));
  EXPECT_THAT(Error({"-p", "hunter2"}), Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace entrepot::ctl
