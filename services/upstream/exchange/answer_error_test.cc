#include "services/upstream/exchange/answer_error.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/upstream/registry/upstream_error.h"

namespace entrepot::upstream {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

absl::Status ErrorOf(const Answer& answer) { return ErrorOfAnswer("docker.io", "GET /v2/a", answer, kNow); }
Answer WithStatus(int status) {
  Answer answer;
  answer.head.status = status;
  return answer;
}

TEST(AnswerErrorTest, MapsEachStatus) {
  const auto failure = [](int status) { return FailureOf(ErrorOf(WithStatus(status))); };
  for (const int status : {404, 410}) EXPECT_EQ(failure(status), UpstreamFailure::kNotFound) << status;
  for (const int status : {401, 403, 451}) EXPECT_EQ(failure(status), UpstreamFailure::kDenied) << status;
  EXPECT_EQ(failure(429), UpstreamFailure::kRateLimited);
  for (const int status : {408, 500, 502, 503, 504, 599}) EXPECT_EQ(failure(status), UpstreamFailure::kUnavailable);
  for (const int status : {204, 302, 304, 400, 405, 406, 416}) EXPECT_EQ(failure(status), UpstreamFailure::kInvalid);
}

TEST(AnswerErrorTest, HasTheWaitOfTheUpstream) {
  Answer answer = WithStatus(429);
  EXPECT_EQ(UpstreamRetryAfter(ErrorOf(answer)), std::nullopt);
  answer.head.fields = {{"retry-after", "40"}};
  EXPECT_EQ(UpstreamRetryAfter(ErrorOf(answer)), absl::Seconds(40));
}

TEST(AnswerErrorTest, NamesTheUpstreamTheRequestAndTheError) {
  Answer answer = WithStatus(429);
  answer.error_body = R"({"errors":[{"code":"TOOMANYREQUESTS","message":"slow\ndown"}]})";
  EXPECT_EQ(ErrorOf(answer).message(), "docker.io answers 429 to GET /v2/a: \"TOOMANYREQUESTS\": \"slow\\ndown\"");
  answer.error_body = "<html>";
  answer.left_origin = true;
  answer.url = "https://cdn.example/b?signature=secret";
  EXPECT_EQ(ErrorOf(answer).message(), "docker.io answers 429 to GET /v2/a at \"cdn.example\"");
}

TEST(AnswerErrorTest, AcceptsAnyBody) {
  for (const char* body :
       {"", "[]", "{}", R"({"errors":{}})", R"({"errors":[]})", R"({"errors":["a"]})", R"({"errors":[{"code":5}]})"}) {
    Answer answer = WithStatus(404);
    answer.error_body = body;
    EXPECT_EQ(ErrorOf(answer).message(), "docker.io answers 404 to GET /v2/a") << body;
  }
}

}  // namespace
}  // namespace entrepot::upstream
