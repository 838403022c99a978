#include "services/blob/io/disk_space.h"

#include <fcntl.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/blob/io/faulty_system_calls.h"
#include "services/core/files/owned_fd.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

TEST(DiskSpaceTest, KeepsAnEighthOfASmallDisk) {
  EXPECT_EQ(ReservedBytes(96 << 20), 12 << 20);
  EXPECT_EQ(ReservedBytes(uint64_t{1} << 40), 256 << 20);
}

TEST(DiskSpaceTest, AllButFullIsFull) {
  FaultySystemCalls calls;
  const OwnedFd root(::open("/", O_RDONLY | O_DIRECTORY));
  ASSERT_OK_AND_ASSIGN(const DiskSpace space, GetDiskSpace(calls, root.get()));
  EXPECT_LE(space.free_bytes + space.used_bytes, space.total_bytes);
  calls.FillDisk(true);
  absl::Status status = CheckDiskSpace(calls, root.get());
  EXPECT_THAT(status, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(status.message(), testing::HasSubstr("the disk is full: 0 MiB are free"));
}

TEST(DiskSpaceTest, WhatDoesNotSayIsNotFull) { EXPECT_OK(CheckDiskSpace(*SystemCalls::Default(), -1)); }

}  // namespace
}  // namespace entrepot::blob
