#include "services/core/files/durable_directory.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class DurableDirectoryTest : public testing::Test {
 protected:
  DurableDirectoryTest() {
    std::string name = testing::TempDir() + "durable_directory.XXXXXX";
    root_ = mkdtemp(name.data());
  }
  ~DurableDirectoryTest() override { fs::remove_all(root_); }

  std::string At(const std::string& name) const { return root_ + "/" + name; }
  void Write(const std::string& name, const std::string& text) const { std::ofstream(At(name)) << text; }
  std::string Read(const std::string& name) const {
    std::ifstream file(At(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::string root_;
};

TEST_F(DurableDirectoryTest, MakesDirectoriesWithTheirParents) {
  EXPECT_OK(MakeDirectoryDurably(At("a/b/c")));
  EXPECT_TRUE(fs::is_directory(At("a/b/c")));
  EXPECT_OK(MakeDirectoryDurably(At("a/b/c")));
  EXPECT_OK(MakeDirectoryDurably(At("d/e/")));
  EXPECT_TRUE(fs::is_directory(At("d/e")));
  Write("file", "");
  EXPECT_THAT(MakeDirectoryDurably(At("file/x")), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(DurableDirectoryTest, SyncsTheNameOfAFile) {
  Write("file", "");
  EXPECT_OK(SyncNameOf(At("file")));
  const absl::Status missing = SyncNameOf(At("none/file"));
  EXPECT_THAT(missing, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(std::string(missing.message()), HasSubstr(At("none")));
}

TEST_F(DurableDirectoryTest, DoesNotRenameOverAnExistingDirectory) {
  ASSERT_OK(MakeDirectoryDurably(At("from")));
  ASSERT_OK(MakeDirectoryDurably(At("taken")));
  const absl::Status taken = RenameDurably(At("from"), At("taken"));
  EXPECT_THAT(taken, StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(std::string(taken.message()), HasSubstr(At("taken")));
  EXPECT_OK(RenameDurably(At("from"), At("to")));
  EXPECT_TRUE(fs::exists(At("to")));
  EXPECT_THAT(RenameDurably(At("from"), At("elsewhere")), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(DurableDirectoryTest, CopiesATree) {
  ASSERT_OK(MakeDirectoryDurably(At("from/empty")));
  ASSERT_OK(MakeDirectoryDurably(At("from/deep/er")));
  Write("from/one", "1");
  const std::string large((3 << 20) + 1, 'x');
  Write("from/deep/er/large", large);
  uint64_t bytes = 0;
  ASSERT_OK(CopyTreeDurably(At("from"), At("to"), [&](uint64_t copied) {
    bytes += copied;
    return true;
  }));
  EXPECT_EQ(bytes, large.size() + 1);
  EXPECT_EQ(Read("to/one"), "1");
  EXPECT_EQ(Read("to/deep/er/large"), large);
  EXPECT_TRUE(fs::is_directory(At("to/empty")));
  EXPECT_THAT(CopyTreeDurably(At("from"), At("to"), [](uint64_t) { return true; }),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(CopyTreeDurably(At("from"), At("stopped"), [](uint64_t) { return false; }),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(CopyTreeDurably(At("none"), At("nowhere"), [](uint64_t) { return true; }),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(DurableDirectoryTest, RefusesToCopyLinks) {
  ASSERT_OK(MakeDirectoryDurably(At("from")));
  Write("secret", "s");
  ASSERT_EQ(symlink(At("secret").c_str(), At("from/link").c_str()), 0);
  const absl::Status refused = CopyTreeDurably(At("from"), At("to"), [](uint64_t) { return true; });
  EXPECT_THAT(std::string(refused.message()), HasSubstr("from/link"));
}

TEST_F(DurableDirectoryTest, RemovesATree) {
  ASSERT_OK(MakeDirectoryDurably(At("a/b")));
  Write("a/b/c", "");
  EXPECT_OK(RemoveTree(At("a")));
  EXPECT_FALSE(fs::exists(At("a")));
  EXPECT_OK(RemoveTree(At("a")));
}

}  // namespace
}  // namespace entrepot
