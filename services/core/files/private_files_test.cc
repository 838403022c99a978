#include "services/core/files/private_files.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

namespace fs = std::filesystem;

class PrivateFilesTest : public testing::Test {
 protected:
  PrivateFilesTest() {
    std::string name = testing::TempDir() + "private_files.XXXXXX";
    root_ = mkdtemp(name.data());
  }
  ~PrivateFilesTest() override { fs::remove_all(root_); }

  std::string At(const std::string& name) const { return root_ + "/" + name; }
  void Write(const std::string& name, mode_t mode) const {
    std::ofstream(At(name)) << "secret";
    EXPECT_EQ(chmod(At(name).c_str(), mode), 0);
  }
  mode_t Mode(const std::string& name) const {
    struct stat found;
    EXPECT_EQ(stat(At(name).c_str(), &found), 0);
    return found.st_mode & 07777;
  }

  std::string root_;
};

TEST_F(PrivateFilesTest, TakesPermissionsOfOthers) {
  Write("open", 0644);
  EXPECT_OK(MakePrivate(At("open")));
  EXPECT_EQ(Mode("open"), 0600u);
  Write("read-only", 0444);
  EXPECT_OK(MakePrivate(At("read-only")));
  EXPECT_EQ(Mode("read-only"), 0400u);
  EXPECT_OK(MakePrivate(At("missing")));
}

TEST_F(PrivateFilesTest, TakesThemFromADirectoryAndItsFiles) {
  fs::create_directories(At("kv/deeper"));
  chmod(At("kv").c_str(), 0755);
  Write("kv/one", 0644);
  Write("kv/two", 0640);
  Write("kv/deeper/three", 0644);
  EXPECT_OK(MakeDirectoryPrivate(At("kv")));
  EXPECT_EQ(Mode("kv"), 0700u);
  EXPECT_EQ(Mode("kv/one"), 0600u);
  EXPECT_EQ(Mode("kv/two"), 0600u);
  EXPECT_EQ(Mode("kv/deeper"), 0700u);
  EXPECT_OK(MakeDirectoryPrivate(At("missing")));
}

TEST_F(PrivateFilesTest, DoesNotFollowLinks) {
  fs::create_directory(At("kv"));
  Write("elsewhere", 0644);
  fs::create_symlink(At("elsewhere"), At("kv/link"));
  EXPECT_OK(MakeDirectoryPrivate(At("kv")));
  EXPECT_EQ(Mode("elsewhere"), 0644u);
}

}  // namespace
}  // namespace entrepot
