#include "services/core/files/durable_directory.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace {

// The error with which each renameat2() fails; 0: it works.
int renameat2_error = 0;

}  // namespace

// Replaces the C library's: some file systems, such as NFS, do not support the flag RENAME_NOREPLACE.
extern "C" int renameat2(int old_directory, const char* old_path, int new_directory, const char* new_path,
                         unsigned int flags) noexcept {
  if (renameat2_error == 0) {
    return static_cast<int>(syscall(SYS_renameat2, old_directory, old_path, new_directory, new_path, flags));
  }
  errno = renameat2_error;
  return -1;
}

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
  ~DurableDirectoryTest() override {
    renameat2_error = 0;
    fs::remove_all(root_);
  }

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

// The parameter is the error of renameat2().
class RenameDurablyTest : public DurableDirectoryTest, public testing::WithParamInterface<int> {
 protected:
  RenameDurablyTest() { renameat2_error = GetParam(); }
};

INSTANTIATE_TEST_SUITE_P(WithAndWithoutNoReplace, RenameDurablyTest, testing::Values(0, EINVAL, ENOSYS));

TEST_P(RenameDurablyTest, DoesNotRenameOverAnExistingDirectory) {
  ASSERT_OK(MakeDirectoryDurably(At("from")));
  Write("from/file", "content");
  ASSERT_OK(MakeDirectoryDurably(At("taken")));
  const absl::Status taken = RenameDurably(At("from"), At("taken"));
  EXPECT_THAT(taken, StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(std::string(taken.message()), HasSubstr(At("taken")));
  EXPECT_TRUE(fs::is_empty(At("taken")));
  EXPECT_OK(RenameDurably(At("from"), At("to")));
  EXPECT_EQ(Read("to/file"), "content");
  EXPECT_FALSE(fs::exists(At("from")));
  EXPECT_THAT(RenameDurably(At("from"), At("elsewhere")), StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(RenameDurablyTest, DoesNotRenameOverAnExistingFile) {
  Write("from", "new");
  Write("taken", "old");
  EXPECT_THAT(RenameDurably(At("from"), At("taken")), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(Read("taken"), "old");
  EXPECT_OK(RenameDurably(At("from"), At("to")));
  EXPECT_EQ(Read("to"), "new");
  EXPECT_FALSE(fs::exists(At("from")));
}

TEST_F(DurableDirectoryTest, ReportsThatARenameFailed) {
  ASSERT_OK(MakeDirectoryDurably(At("from")));
  renameat2_error = EIO;
  EXPECT_THAT(RenameDurably(At("from"), At("to")), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(fs::exists(At("from")));
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
