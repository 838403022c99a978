#include "gateway/api/request/error_response.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::gateway::api {
namespace {

std::string Field(const http::Response& response, absl::string_view name) {
  for (const auto& [key, value] : response.fields) {
    if (key == name) return value;
  }
  return "";
}

TEST(ErrorResponseTest, WritesTheSpecificationsForm) {
  const http::Response response =
      ErrorResponse(OciError(OciErrorCode::kBlobUnknown, "no such \"blob\"\n", "sha256:12"), "id");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(Field(response, "Content-Type"), "application/json");
  EXPECT_EQ(std::get<std::string>(response.body),
            R"({"errors":[{"code":"BLOB_UNKNOWN","message":"no such \"blob\"\n","detail":"sha256:12"}]})");
}

TEST(ErrorResponseTest, OmitsAnEmptyDetail) {
  const http::Response response = ErrorResponse(OciError(OciErrorCode::kTagInvalid, "bad"), "id");
  EXPECT_EQ(std::get<std::string>(response.body), R"({"errors":[{"code":"TAG_INVALID","message":"bad"}]})");
}

TEST(ErrorResponseTest, UsesTheCanonicalCodeWithoutAnOciCode) {
  struct Case {
    absl::Status status;
    int http_status;
    std::string code;
  };
  const std::vector<Case> cases = {
      {absl::InvalidArgumentError("x"), 400, "NAME_INVALID"},
      {absl::NotFoundError("x"), 404, "NAME_UNKNOWN"},
      {absl::OutOfRangeError("x"), 416, "RANGE_INVALID"},
      {absl::ResourceExhaustedError("x"), 429, "TOOMANYREQUESTS"},
      {absl::UnavailableError("x"), 503, "UNAVAILABLE"},
      {absl::AbortedError("x"), 503, "UNAVAILABLE"},
      {absl::DeadlineExceededError("x"), 503, "UNAVAILABLE"},
      {absl::InternalError("x"), 500, "UNKNOWN"},
      {absl::DataLossError("x"), 500, "UNKNOWN"},
      {absl::UnknownError("x"), 500, "UNKNOWN"},
  };
  for (const Case& c : cases) {
    const http::Response response = ErrorResponse(c.status, "id");
    EXPECT_EQ(response.status, c.http_status) << c.status;
    EXPECT_NE(std::get<std::string>(response.body).find("\"code\":\"" + c.code + "\""), std::string::npos) << c.status;
  }
}

TEST(ErrorResponseTest, UsesTheHttpStatusOfHttpError) {
  const http::Response response = ErrorResponse(HttpError(413, OciErrorCode::kManifestInvalid, "too long"), "id");
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(std::get<std::string>(response.body), R"({"errors":[{"code":"MANIFEST_INVALID","message":"too long"}]})");
}

TEST(ErrorResponseTest, ShowsTheCauseOfATemporaryErrorThatIsMeantForTheClient) {
  const http::Response told = ErrorResponse(
      OciError(OciErrorCode::kUnavailable, "cannot sync /data/blobs", "nothing can be pushed: the disk is full"), "id");
  EXPECT_EQ(told.status, 503);
  EXPECT_EQ(std::get<std::string>(told.body),
            R"({"errors":[{"code":"UNAVAILABLE","message":"nothing can be pushed: the disk is full"}]})");
  const http::Response untold = ErrorResponse(OciError(OciErrorCode::kUnavailable, "cannot sync /data/blobs"), "id");
  EXPECT_EQ(std::get<std::string>(untold.body),
            R"({"errors":[{"code":"UNAVAILABLE","message":"the registry is temporarily unavailable; try again"}]})");
}

TEST(ErrorResponseTest, SendsRetryAfterWithTemporaryErrors) {
  EXPECT_EQ(Field(ErrorResponse(absl::UnavailableError("x"), "id"), "Retry-After"), "1");
  EXPECT_EQ(Field(ErrorResponse(OciError(OciErrorCode::kTooManyRequests, "x"), "id"), "Retry-After"), "1");
  EXPECT_EQ(Field(ErrorResponse(absl::NotFoundError("x"), "id"), "Retry-After"), "");
}

TEST(ErrorResponseTest, ShowsTheMessageOfHttpErrorWith501) {
  const http::Response response =
      ErrorResponse(HttpError(501, OciErrorCode::kUnsupported, "only the chunked transfer coding is supported"), "id");
  EXPECT_EQ(response.status, 501);
  EXPECT_THAT(std::get<std::string>(response.body), testing::HasSubstr("only the chunked transfer coding"));
}

TEST(ErrorResponseTest, HidesTheMessagesOfServerErrors) {
  for (const absl::Status& status : {absl::InternalError("/var/lib/secret"), absl::UnavailableError("10.0.0.1:5011"),
                                     OciError(OciErrorCode::kUnavailable, "10.0.0.1:5011")}) {
    const std::string body = std::get<std::string>(ErrorResponse(status, "id").body);
    EXPECT_EQ(body.find(std::string(status.message())), std::string::npos) << body;
  }
}

}  // namespace
}  // namespace entrepot::gateway::api
