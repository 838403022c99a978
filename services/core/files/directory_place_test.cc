#include "services/core/files/directory_place.h"

#include <fcntl.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/files/owned_fd.h"

namespace entrepot {
namespace {

using testing::HasSubstr;
using testing::Not;

class DirectoryPlaceTest : public testing::Test {
 protected:
  DirectoryPlaceTest() {
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_ + "/data/kv");
    directory_ = OwnedFd(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  absl::Status Check() const { return CheckInPlace(directory_.get(), path_); }

  const std::string root_ = testing::TempDir() + "/directory_place_test";
  const std::string path_ = root_ + "/data/kv";
  OwnedFd directory_;
};

TEST_F(DirectoryPlaceTest, ADirectoryThatChangesStaysInPlace) {
  EXPECT_TRUE(Check().ok());
  std::ofstream(path_ + "/file") << "x";
  EXPECT_TRUE(Check().ok());
}

TEST_F(DirectoryPlaceTest, NoticesADirectoryThatWasReplaced) {
  std::filesystem::rename(root_ + "/data", root_ + "/old");
  EXPECT_TRUE(absl::IsFailedPrecondition(Check()));
  EXPECT_THAT(std::string(Check().message()), HasSubstr(path_ + " was moved or removed"));
  std::filesystem::create_directories(path_);
  EXPECT_TRUE(absl::IsFailedPrecondition(Check()));
  EXPECT_THAT(std::string(Check().message()), HasSubstr(path_ + " was replaced"));
}

TEST_F(DirectoryPlaceTest, NoticesALinkThatNamesAnotherDirectory) {
  std::filesystem::rename(root_ + "/data", root_ + "/first");
  std::filesystem::create_directory_symlink(root_ + "/first", root_ + "/data");
  EXPECT_TRUE(Check().ok());
  std::filesystem::create_directories(root_ + "/second/kv");
  std::filesystem::remove(root_ + "/data");
  std::filesystem::create_directory_symlink(root_ + "/second", root_ + "/data");
  EXPECT_TRUE(absl::IsFailedPrecondition(Check()));
}

TEST_F(DirectoryPlaceTest, APathThatCannotBeReadIsNotKnown) {
  std::filesystem::remove_all(root_ + "/data");
  std::filesystem::create_symlink("data", root_ + "/data");
  EXPECT_TRUE(absl::IsUnavailable(Check()));
  EXPECT_THAT(std::string(Check().message()), Not(HasSubstr("replaced")));
}

}  // namespace
}  // namespace entrepot
