#include "services/ctl/commands.h"

#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ctl/robot_commands.h"
#include "services/status/status_matchers.h"

namespace entrepot::ctl {
namespace {

using ::testing::ElementsAre;

TEST(CommandsTest, RobotScopes) {
  ASSERT_OK_AND_ASSIGN(const auto scope, ParseRobotScope("driftwood/**,host:5000/base:pull,push"));
  EXPECT_THAT(scope.repositories(), ElementsAre("driftwood/**", "host:5000/base"));
  EXPECT_THAT(scope.actions(), ElementsAre("pull", "push"));
  for (const char* bad : {"", "driftwood", ":pull", "a:", "a,:pull", "a:pull,"}) {
    EXPECT_THAT(ParseRobotScope(bad), StatusIs(absl::StatusCode::kInvalidArgument)) << bad;
  }
}

TEST(CommandsTest, Lifetimes) {
  for (const auto& [text, seconds] : {std::pair("720h", 2592000), std::pair("30d", 2592000), std::pair("90m", 5400)}) {
    ASSERT_OK_AND_ASSIGN(const auto lifetime, ParseLifetime(text));
    EXPECT_EQ(lifetime.seconds(), seconds) << text;
  }
  for (const char* bad : {"", "0", "-1h", "30", "d", "1y", "inf", "99999999d"}) {
    EXPECT_THAT(ParseLifetime(bad), StatusIs(absl::StatusCode::kInvalidArgument)) << bad;
  }
}

TEST(CommandsTest, EachCommandTeachesByAnExampleThatParses) {
  std::set<std::string> names;
  for (const Command& command : AllCommands()) {
    EXPECT_TRUE(names.insert(command.name).second) << command.name;
    EXPECT_FALSE(command.summary.empty()) << command.name;
    EXPECT_TRUE(absl::StrContains(command.help, absl::StrCat("  entrepotctl ", command.name))) << command.name;
    for (const auto& options : {command.options, command.flags}) {
      for (const std::string& option : options) {
        EXPECT_TRUE(absl::StrContains(command.help, absl::StrCat("  ", option, " "))) << command.name << option;
      }
    }
    ASSERT_NE(command.run, nullptr);
  }
}

TEST(CommandsTest, EveryCommandIsFound) {
  for (const Command& command : AllCommands()) {
    std::vector<std::string> words;
    for (size_t at = 0; at <= command.name.size();) {
      const size_t end = std::min(command.name.find(' ', at), command.name.size());
      words.push_back(command.name.substr(at, end - at));
      at = end + 1;
    }
    words.insert(words.end(), command.arguments.begin(), command.arguments.end());
    ASSERT_OK_AND_ASSIGN(const CommandLine line, ParseCommandLine(words, AllCommands()));
    EXPECT_EQ(line.command, &command);
  }
}

}  // namespace
}  // namespace entrepot::ctl
