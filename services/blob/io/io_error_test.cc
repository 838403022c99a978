#include "services/blob/io/io_error.h"

#include <cerrno>

#include "gtest/gtest.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

TEST(IoErrorTest, DistinguishesAFullDiskFromABrokenOne) {
  EXPECT_EQ(ClassifyIoError(ENOSPC), IoErrorKind::kNoSpace);
  EXPECT_EQ(ClassifyIoError(EDQUOT), IoErrorKind::kNoSpace);
  EXPECT_EQ(ClassifyIoError(EMFILE), IoErrorKind::kNoResources);
  EXPECT_EQ(ClassifyIoError(EIO), IoErrorKind::kBroken);
  EXPECT_EQ(ClassifyIoError(EROFS), IoErrorKind::kBroken);
  EXPECT_EQ(ClassifyIoError(EACCES), IoErrorKind::kOther);
}

TEST(IoErrorTest, ReportsTheActionAndTheReason) {
  EXPECT_EQ(WriteError("writing an upload", ENOSPC).message(), "writing an upload: No space left on device");
}

TEST(IoErrorTest, ATemporaryReadErrorIsNotDataLoss) {
  EXPECT_THAT(ReadError("reading", EMFILE), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(ReadError("reading", EACCES), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(ReadError("reading", EBADMSG), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(ReadError("reading", EIO), StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace entrepot::blob
