#include "services/core/files/disk_space.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

TEST(DiskSpaceTest, ReadsTheSpaceOfAFileSystem) {
  ASSERT_OK_AND_ASSIGN(const DiskSpace space, ReadDiskSpace(testing::TempDir()));
  EXPECT_GT(space.total_bytes, 0u);
  EXPECT_LE(space.free_bytes + space.used_bytes, space.total_bytes);
  EXPECT_TRUE(space.has_inodes);
  EXPECT_THAT(ReadDiskSpace(testing::TempDir() + "/none"), StatusIs(absl::StatusCode::kUnavailable));
}

TEST(DiskSpaceTest, CountsInodesOnlyIfTheirNumberIsFixed) {
  struct statvfs stats = {};
  EXPECT_TRUE(ToDiskSpace(stats).has_inodes);
  stats.f_files = 1000;
  stats.f_favail = 64;
  EXPECT_TRUE(ToDiskSpace(stats).has_inodes);
  stats.f_favail = 63;
  EXPECT_FALSE(ToDiskSpace(stats).has_inodes);
}

TEST(DiskSpaceTest, ReservesLittleOnSmallFileSystems) {
  EXPECT_EQ(ReservedFromBlobs(96 * kMiB), 12 * kMiB);
  EXPECT_EQ(ReservedFromBlobs(1'000'000 * kMiB), 256 * kMiB);
  EXPECT_EQ(ReservedFromRecords(32 * kMiB), 2 * kMiB);
  EXPECT_EQ(ReservedFromRecords(1'000'000 * kMiB), 64 * kMiB);
}

TEST(DiskSpaceTest, BlobsStopAboveTheirReserve) {
  const DiskSpace space = {.total_bytes = 100'000 * kMiB, .free_bytes = 256 * kMiB};
  const absl::Status full = CheckRoomForBlobs(space);
  EXPECT_THAT(full, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(std::string(full.message()), testing::HasSubstr("the disk is full: 256 MiB are free"));
  EXPECT_OK(CheckRoomForBlobs({.total_bytes = 100'000 * kMiB, .free_bytes = 256 * kMiB + 1}));
  EXPECT_OK(CheckRoomForBlobs({})) << "no size is known";
  EXPECT_OK(CheckRoomForRecords(space, /*deletes=*/false)) << "records go on";
}

TEST(DiskSpaceTest, BelowTheReserveOfRecordsOnlyDeletionsPass) {
  const auto check = [](uint64_t free_bytes, bool deletes) {
    return CheckRoomForRecords({.total_bytes = 100'000 * kMiB, .free_bytes = free_bytes}, deletes);
  };
  EXPECT_OK(check(64 * kMiB, /*deletes=*/false));
  EXPECT_THAT(check(64 * kMiB - 1, /*deletes=*/false), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_OK(check(16 * kMiB, /*deletes=*/true));
  EXPECT_THAT(check(16 * kMiB - 1, /*deletes=*/true), StatusIs(absl::StatusCode::kUnavailable));
}

TEST(DiskSpaceTest, WithoutInodesOnlyDeletionsPass) {
  const DiskSpace space = {.total_bytes = 1000 * kMiB, .free_bytes = 900 * kMiB, .has_inodes = false};
  EXPECT_THAT(CheckRoomForRecords(space, /*deletes=*/false), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_OK(CheckRoomForRecords(space, /*deletes=*/true));
}

}  // namespace
}  // namespace entrepot
