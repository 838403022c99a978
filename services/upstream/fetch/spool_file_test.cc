#include "services/upstream/fetch/spool_file.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::upstream {
namespace {

bool IsEmptyDirectory(const std::string& path) { return std::filesystem::is_empty(path); }

TEST(SpoolFileTest, ReadsWhatWasAppended) {
  kv::TemporaryDirectory directory;
  ASSERT_OK_AND_ASSIGN(const auto spool, SpoolFile::Create(directory.path()));
  ASSERT_OK(spool->Append("hello"));
  ASSERT_OK(spool->Append(" world"));
  EXPECT_EQ(spool->size_bytes(), 11u);
  std::string read(7, ' ');
  ASSERT_OK(spool->Read(4, read.data(), read.size()));
  EXPECT_EQ(read, "o world");
}

TEST(SpoolFileTest, HasNoName) {
  kv::TemporaryDirectory directory;
  ASSERT_OK_AND_ASSIGN(const auto spool, SpoolFile::Create(directory.path()));
  ASSERT_OK(spool->Append("hello"));
  EXPECT_TRUE(IsEmptyDirectory(directory.path()));
}

TEST(SpoolFileTest, AReadBeyondTheEndIsDataLoss) {
  kv::TemporaryDirectory directory;
  ASSERT_OK_AND_ASSIGN(const auto spool, SpoolFile::Create(directory.path()));
  ASSERT_OK(spool->Append("hello"));
  std::string read(2, ' ');
  EXPECT_THAT(spool->Read(4, read.data(), read.size()), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(SpoolFileTest, ADirectoryThatIsMissingIsUnavailable) {
  kv::TemporaryDirectory directory;
  EXPECT_THAT(SpoolFile::Create(directory.path() + "/missing"), IsOciError(OciErrorCode::kUnavailable));
}

TEST(PrepareSpoolDirectoryTest, MakesAPrivateDirectory) {
  kv::TemporaryDirectory directory;
  const std::string path = directory.path() + "/a/spool";
  ASSERT_OK(PrepareSpoolDirectory(path));
  struct stat stats = {};
  ASSERT_EQ(stat(path.c_str(), &stats), 0);
  EXPECT_EQ(stats.st_mode & 0777, 0700u);
}

TEST(PrepareSpoolDirectoryTest, DeletesOnlySpoolFiles) {
  kv::TemporaryDirectory directory;
  std::ofstream(directory.path() + "/spool.abcdef") << "left by a crash";
  std::ofstream(directory.path() + "/CURRENT") << "of a database";
  ASSERT_OK(PrepareSpoolDirectory(directory.path()));
  EXPECT_FALSE(std::filesystem::exists(directory.path() + "/spool.abcdef"));
  EXPECT_TRUE(std::filesystem::exists(directory.path() + "/CURRENT"));
}

TEST(PrepareSpoolDirectoryTest, APathThatIsAFileIsUnavailable) {
  kv::TemporaryDirectory directory;
  std::ofstream(directory.path() + "/file") << "x";
  EXPECT_THAT(PrepareSpoolDirectory(directory.path() + "/file/spool"), StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace entrepot::upstream
