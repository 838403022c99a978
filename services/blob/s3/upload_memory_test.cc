#include "services/blob/s3/upload_memory.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "prometheus/text_serializer.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob::s3 {
namespace {

using testing::HasSubstr;

class UploadMemoryTest : public testing::Test {
 protected:
  std::unique_ptr<UploadMemory::Reservation> Of(const std::string& owner) {
    auto reservation = std::make_unique<UploadMemory::Reservation>(&memory_);
    reservation->SetOwner(owner);
    return reservation;
  }
  std::string Metrics() { return prometheus::TextSerializer().Serialize(registry_.Collect()); }

  prometheus::Registry registry_;
  S3Metrics metrics_{registry_};
  UploadMemory memory_{100, &metrics_};
};

TEST_F(UploadMemoryTest, BoundsTheSumOfAllUploads) {
  const auto one = Of("");
  ASSERT_OK(one->Set(40));
  EXPECT_FALSE(one->is_scarce());
  {
    const auto other = Of("");
    ASSERT_OK(other->Set(60));
    EXPECT_TRUE(one->is_scarce());
    const absl::Status status = one->Set(41);
    EXPECT_THAT(status, IsOciError(OciErrorCode::kUnavailable));
    EXPECT_THAT(GetOciErrorDetail(status), HasSubstr("objects.s3.upload_memory_bytes_max")) << "for the client";
    EXPECT_EQ(metrics_.upload_memory()->Value(), 100);
    // Less is always possible.
    ASSERT_OK(one->Set(30));
    EXPECT_OK(other->Set(70));
  }
  EXPECT_EQ(metrics_.upload_memory()->Value(), 30);
  EXPECT_OK(one->Set(100));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_s3_upload_memory_refused_total{reason=\"sum\"} 1"));
}

TEST_F(UploadMemoryTest, AnOwnerLeavesHalfToTheOthers) {
  std::vector<std::unique_ptr<UploadMemory::Reservation>> uploads;
  for (int i = 0; i < 5; ++i) {
    uploads.push_back(Of("account ada"));
    EXPECT_EQ(uploads.back()->is_scarce(), i > 2) << "from a quarter on";
    ASSERT_OK(uploads.back()->Set(10));
  }
  const auto more = Of("account ada");
  const absl::Status status = more->Set(1);
  EXPECT_THAT(status, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(status.message(), HasSubstr("this account or address hold 50 bytes, its share of "
                                          "objects.s3.upload_memory_bytes_max: 100"));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_s3_upload_memory_refused_total{reason=\"share\"} 1"));
  const auto other = Of("client ada");
  EXPECT_FALSE(other->is_scarce());
  EXPECT_OK(other->Set(50));
  uploads.pop_back();
  EXPECT_OK(more->Set(10));
  EXPECT_THAT(other->Set(51), IsOciError(OciErrorCode::kUnavailable));
}

TEST_F(UploadMemoryTest, AnOwnerGetsItsShareBack) {
  for (int i = 0; i < 100; ++i) {
    const auto upload = Of(absl::StrCat("account ", i % 3));
    ASSERT_OK(upload->Set(50));
    ASSERT_OK(upload->Set(20));
  }
  EXPECT_EQ(metrics_.upload_memory()->Value(), 0);
}

}  // namespace
}  // namespace entrepot::blob::s3
