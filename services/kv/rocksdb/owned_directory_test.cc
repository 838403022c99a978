#include "services/kv/rocksdb/owned_directory.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/kv/testing/temporary_directory.h"

namespace entrepot::kv {
namespace {

using testing::HasSubstr;

TEST(OwnedDirectoryTest, MakesTheDirectoryAndItsParents) {
  TemporaryDirectory temporary;
  const std::string path = temporary.path() + "/a/b/c";
  ASSERT_TRUE(OwnedDirectory::Acquire(path).ok());
  EXPECT_TRUE(std::filesystem::is_directory(path));
}

TEST(OwnedDirectoryTest, HasOneHolderAtATime) {
  TemporaryDirectory temporary;
  std::optional<OwnedDirectory> first = *OwnedDirectory::Acquire(temporary.path());
  absl::Status second = OwnedDirectory::Acquire(temporary.path()).status();
  EXPECT_TRUE(absl::IsUnavailable(second));
  EXPECT_THAT(std::string(second.message()), HasSubstr(temporary.path() + " is in use by another process"));
  first.reset();
  EXPECT_TRUE(OwnedDirectory::Acquire(temporary.path()).ok());
}

TEST(OwnedDirectoryTest, NoticesThatItWasReplaced) {
  TemporaryDirectory temporary;
  const std::string path = temporary.path() + "/a";
  const OwnedDirectory directory = *OwnedDirectory::Acquire(path);
  EXPECT_TRUE(directory.CheckInPlace().ok());
  std::filesystem::rename(path, temporary.path() + "/b");
  std::filesystem::create_directory(path);
  EXPECT_TRUE(absl::IsFailedPrecondition(directory.CheckInPlace()));
}

TEST(OwnedDirectoryTest, ReportsAFileInTheWay) {
  TemporaryDirectory temporary;
  std::ofstream(temporary.path() + "/file") << "x";
  absl::Status status = OwnedDirectory::Acquire(temporary.path() + "/file/below").status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("file/below: Not a directory"));
  EXPECT_TRUE(absl::IsUnavailable(OwnedDirectory::Acquire(temporary.path() + "/file").status()));
}

}  // namespace
}  // namespace entrepot::kv
