#include "services/blob/s3/upload_memory.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob::s3 {
namespace {

TEST(UploadMemoryTest, BoundsTheSumOfAllShares) {
  prometheus::Gauge gauge;
  UploadMemory memory(100, &gauge);
  UploadMemory::Share one(&memory);
  ASSERT_OK(one.Set(40));
  EXPECT_FALSE(memory.is_scarce());
  {
    UploadMemory::Share other(&memory);
    ASSERT_OK(other.Set(60));
    EXPECT_TRUE(memory.is_scarce());
    const absl::Status status = one.Set(41);
    EXPECT_THAT(status, IsOciError(OciErrorCode::kUnavailable));
    EXPECT_THAT(status.message(), testing::HasSubstr("objects.s3.upload_memory_bytes_max"));
    EXPECT_EQ(gauge.Value(), 100);
    // Less is always possible.
    ASSERT_OK(one.Set(30));
    EXPECT_OK(other.Set(70));
  }
  EXPECT_EQ(gauge.Value(), 30);
  EXPECT_OK(one.Set(100));
}

}  // namespace
}  // namespace entrepot::blob::s3
