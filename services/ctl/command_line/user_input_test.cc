#include "services/ctl/command_line/user_input.h"

#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace entrepot::ctl {
namespace {

class UserInputTest : public testing::Test {
 protected:
  std::string WriteFile(const std::string& content) {
    const std::string path = directory_.path() + "/file";
    std::ofstream(path) << content;
    return path;
  }

 private:
  kv::TemporaryDirectory directory_;
};

TEST_F(UserInputTest, ReadsWholeFiles) {
  const std::string content("a\n\0b\n", 5);
  EXPECT_THAT(ReadInputFile(WriteFile(content)), IsOkAndHolds(content));
  EXPECT_THAT(ReadInputFile(WriteFile("")), IsOkAndHolds(std::string()));
  const absl::Status missing = ReadInputFile("/nowhere").status();
  EXPECT_THAT(missing, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(missing.message(), "cannot read /nowhere: No such file or directory");
  EXPECT_THAT(ReadInputFile("/"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(PasswordInFile("/"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(UserInputTest, APasswordIsTheFirstLineOfAFile) {
  EXPECT_THAT(PasswordInFile(WriteFile("one two \nthree\n")), IsOkAndHolds(std::string("one two ")));
  EXPECT_THAT(PasswordInFile(WriteFile("no newline")), IsOkAndHolds(std::string("no newline")));
  EXPECT_THAT(PasswordInFile(WriteFile("windows\r\n")), IsOkAndHolds(std::string("windows")));
  EXPECT_THAT(PasswordInFile(WriteFile("")), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(PasswordInFile(WriteFile("\nx\n")), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(PasswordInFile("/nowhere"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(UserInputTest, ADashIsTheStandardInput) {
  std::istringstream input("typed\nmore\n");
  std::streambuf* const before = std::cin.rdbuf(input.rdbuf());
  EXPECT_THAT(PasswordInFile("-"), IsOkAndHolds(std::string("typed")));
  std::cin.rdbuf(before);
}

}  // namespace
}  // namespace entrepot::ctl
