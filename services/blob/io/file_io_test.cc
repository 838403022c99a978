#include "services/blob/io/file_io.h"

#include <fcntl.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/blob/io/faulty_system_calls.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

TEST(FileIoTest, ReportsAFullDisk) {
  FaultySystemCalls calls;
  const OwnedFd root(::open("/", O_RDONLY | O_DIRECTORY));
  ASSERT_OK_AND_ASSIGN(const DiskSpace space, GetDiskSpace(calls, root.get()));
  EXPECT_GT(space.total_bytes, 0u);
  calls.FillDisk(true);
  const absl::Status status = CheckDiskSpace(calls, root.get());
  EXPECT_THAT(status, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(status.message(), testing::HasSubstr("the disk is full: 0 MiB are free"));
}

TEST(FileIoTest, UnknownSpaceIsNotAFullDisk) {
  EXPECT_FALSE(GetDiskSpace(*SystemCalls::Default(), -1).ok());
  EXPECT_OK(CheckDiskSpace(*SystemCalls::Default(), -1));
}

}  // namespace
}  // namespace entrepot::blob
