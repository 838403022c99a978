#include "services/status/oci_error.h"

#include <set>

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

constexpr int kCodeCount = static_cast<int>(OciErrorCode::kUnknown) + 1;

TEST(OciErrorTest, FindsEveryCodeByItsName) {
  std::set<absl::string_view> names;
  for (int i = 0; i < kCodeCount; ++i) {
    const auto code = static_cast<OciErrorCode>(i);
    const OciErrorInfo& info = GetOciErrorInfo(code);
    EXPECT_EQ(info.code, code);
    EXPECT_EQ(OciErrorCodeByName(info.name), code);
    names.insert(info.name);
  }
  EXPECT_EQ(names.size(), kCodeCount);
}

TEST(OciErrorTest, UnknownNamesHaveNoCode) {
  EXPECT_EQ(OciErrorCodeByName("blob_unknown"), std::nullopt);
  EXPECT_EQ(OciErrorCodeByName(""), std::nullopt);
}

TEST(OciErrorTest, HttpStatusOfACodeFitsItsStatusCode) {
  const std::set<std::pair<int, absl::StatusCode>> allowed = {
      {400, absl::StatusCode::kInvalidArgument},  {401, absl::StatusCode::kUnauthenticated},
      {403, absl::StatusCode::kPermissionDenied}, {404, absl::StatusCode::kNotFound},
      {405, absl::StatusCode::kUnimplemented},    {412, absl::StatusCode::kFailedPrecondition},
      {416, absl::StatusCode::kOutOfRange},       {429, absl::StatusCode::kResourceExhausted},
      {500, absl::StatusCode::kInternal},         {503, absl::StatusCode::kUnavailable},
  };
  for (int i = 0; i < kCodeCount; ++i) {
    const OciErrorInfo& info = GetOciErrorInfo(static_cast<OciErrorCode>(i));
    EXPECT_TRUE(allowed.contains({info.http_status, info.status_code})) << info.name;
  }
}

TEST(OciErrorTest, StatusCarriesCodeMessageAndDetail) {
  const absl::Status status = OciError(OciErrorCode::kBlobUnknown, "no such blob", "line one\nline two");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "no such blob");
  EXPECT_EQ(GetOciErrorCode(status), OciErrorCode::kBlobUnknown);
  EXPECT_EQ(GetOciErrorDetail(status), "line one\nline two");
}

TEST(OciErrorTest, DetailIsOptional) { EXPECT_EQ(GetOciErrorDetail(OciError(OciErrorCode::kDenied, "no")), ""); }

TEST(OciErrorTest, OtherStatusesCarryNoCode) {
  EXPECT_EQ(GetOciErrorCode(absl::OkStatus()), std::nullopt);
  EXPECT_EQ(GetOciErrorCode(absl::NotFoundError("plain")), std::nullopt);
  EXPECT_EQ(GetOciErrorDetail(absl::NotFoundError("plain")), "");
}

}  // namespace
}  // namespace entrepot
