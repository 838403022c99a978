#include "services/ctl/commands/accounts_file_edit.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ctl/command_line/user_input.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace entrepot::ctl {
namespace {

constexpr char kHash[] = "$2y$04$abcdefghijklmnopqrstuuCLXTwM2s7m7eOjVe8ZzfmA5GNjXK7Qi";
constexpr char kOther[] = "$2y$04$abcdefghijklmnopqrstuuCLXTwM2s7m7eOjVe8ZzfmA5GNjXK7Q.";

class AccountsFileEditTest : public testing::Test {
 protected:
  void Write(const std::string& text) const { std::ofstream(path_) << text; }
  std::string Read() const { return ReadInputFile(path_).value(); }
  mode_t Mode() const {
    struct stat info {};
    EXPECT_EQ(::stat(path_.c_str(), &info), 0);
    return info.st_mode & 0777;
  }

  const kv::TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/accounts";
};

TEST_F(AccountsFileEditTest, MakesAFileThatOnlyItsOwnerMayRead) {
  EXPECT_THAT(PutAccount(path_, "admin", kHash), IsOkAndHolds(false));
  EXPECT_EQ(Read(), absl::StrCat("admin:", kHash, "\n"));
  EXPECT_EQ(Mode(), 0600u);
}

TEST_F(AccountsFileEditTest, ReplacesTheLineOfTheUserAlone) {
  Write(absl::StrCat("# people\nadmin:", kOther, "\n\nadmin2:", kOther, "\nci:", kOther));
  EXPECT_THAT(PutAccount(path_, "admin", kHash), IsOkAndHolds(true));
  EXPECT_EQ(Read(), absl::StrCat("# people\nadmin:", kHash, "\n\nadmin2:", kOther, "\nci:", kOther, "\n"));
  EXPECT_THAT(PutAccount(path_, "dev", kHash), IsOkAndHolds(false));
  EXPECT_EQ(Read(),
            absl::StrCat("# people\nadmin:", kHash, "\n\nadmin2:", kOther, "\nci:", kOther, "\ndev:", kHash, "\n"));
}

TEST_F(AccountsFileEditTest, NarrowsTheModeOfAnExistingFile) {
  Write("");
  ASSERT_EQ(::chmod(path_.c_str(), 0644), 0);
  EXPECT_OK(PutAccount(path_, "admin", kHash));
  EXPECT_EQ(Mode(), 0600u);
}

TEST_F(AccountsFileEditTest, KeepsASymbolicLink) {
  const std::string link = directory_.path() + "/link";
  ASSERT_EQ(::symlink("accounts", link.c_str()), 0);
  EXPECT_OK(PutAccount(link, "admin", kHash));
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(Read(), absl::StrCat("admin:", kHash, "\n"));
}

TEST_F(AccountsFileEditTest, LeavesOtherFilesAlone) {
  Write("no accounts file\n");
  EXPECT_THAT(PutAccount(path_, "admin", kHash), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(Read(), "no accounts file\n");
  EXPECT_THAT(PutAccount(directory_.path() + "/missing/accounts", "admin", kHash),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace entrepot::ctl
