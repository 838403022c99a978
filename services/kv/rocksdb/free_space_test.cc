#include "services/kv/rocksdb/free_space.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace entrepot::kv {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

TEST(FreeSpaceTest, ReadsWhatTheFileSystemHas) {
  TemporaryDirectory temporary;
  ASSERT_OK_AND_ASSIGN(const FileSystemSpace space, ReadFileSystemSpace(temporary.path()));
  EXPECT_GT(space.total_bytes, 0u);
  EXPECT_LE(space.free_bytes, space.total_bytes);
  EXPECT_TRUE(space.has_inodes);
  EXPECT_THAT(ReadFileSystemSpace(temporary.path() + "/none"), StatusIs(absl::StatusCode::kUnavailable));
}

TEST(FreeSpaceTest, ReservesLittleOnSmallFileSystems) {
  EXPECT_EQ(ReservedBytes({.total_bytes = 32 * kMiB}), 2 * kMiB);
  EXPECT_EQ(ReservedBytes({.total_bytes = 1000000 * kMiB}), 64 * kMiB);
}

TEST(FreeSpaceTest, BelowTheReserveOnlyDeletionsPass) {
  auto check = [](uint64_t free_bytes, bool deletes) {
    return CheckFreeSpace({.total_bytes = 100000 * kMiB, .free_bytes = free_bytes}, deletes);
  };
  EXPECT_OK(check(64 * kMiB, /*deletes=*/false));
  EXPECT_THAT(check(64 * kMiB - 1, /*deletes=*/false), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_OK(check(16 * kMiB, /*deletes=*/true));
  EXPECT_THAT(check(16 * kMiB - 1, /*deletes=*/true), StatusIs(absl::StatusCode::kUnavailable));
}

TEST(FreeSpaceTest, WithoutInodesOnlyDeletionsPass) {
  const FileSystemSpace space = {.total_bytes = 1000 * kMiB, .free_bytes = 900 * kMiB, .has_inodes = false};
  EXPECT_THAT(CheckFreeSpace(space, /*deletes=*/false), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_OK(CheckFreeSpace(space, /*deletes=*/true));
}

}  // namespace
}  // namespace entrepot::kv
