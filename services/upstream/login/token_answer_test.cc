#include "services/upstream/login/token_answer.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::upstream {
namespace {

TEST(TokenAnswerTest, TakesTheTokenByEitherName) {
  EXPECT_EQ(ParseTokenAnswer(R"({"token":"a"})")->text, "a");
  EXPECT_EQ(ParseTokenAnswer(R"({"access_token":"b"})")->text, "b");
  EXPECT_EQ(ParseTokenAnswer(R"({"access_token":"b","token":"a","issued_at":"now"})")->text, "a");
  EXPECT_EQ(ParseTokenAnswer(R"({"access_token":"b","token":""})")->text, "b");
}

TEST(TokenAnswerTest, HoldsTheLifetimeBetweenAMinuteAndADay) {
  const auto lifetime = [](const std::string& expires_in) {
    return ParseTokenAnswer(R"({"token":"a","expires_in":)" + expires_in + "}")->lifetime;
  };
  EXPECT_EQ(lifetime("300"), absl::Seconds(300));
  EXPECT_EQ(lifetime("300.0"), absl::Seconds(300));
  for (const char* small : {"1", "0", "-7", "null", "\"300\""}) EXPECT_EQ(lifetime(small), absl::Seconds(60)) << small;
  EXPECT_EQ(lifetime("1e300"), absl::Hours(24));
  EXPECT_EQ(lifetime("18446744073709551615"), absl::Hours(24));
  EXPECT_EQ(ParseTokenAnswer(R"({"token":"a"})")->lifetime, absl::Seconds(60));
}

TEST(TokenAnswerTest, RefusesAnswersWithoutAToken) {
  for (const char* body :
       {"", "<html>", "[]", "{}", R"({"token":5})", R"({"token":null})", R"({"token":"a","token":"b"})"}) {
    EXPECT_THAT(ParseTokenAnswer(body), StatusIs(absl::StatusCode::kInvalidArgument)) << body;
  }
}

TEST(TokenAnswerTest, RefusesTokensThatWouldNotFitAField) {
  for (const char* body : {R"({"token":"a\r\nX: y"})", R"({"token":"a b"})", R"({"token":"ü"})"}) {
    EXPECT_THAT(ParseTokenAnswer(body), StatusIs(absl::StatusCode::kInvalidArgument)) << body;
  }
}

TEST(TokenAnswerTest, DoesNotShowTheBody) {
  const absl::Status status = ParseTokenAnswer(R"({"refresh_token":"secret"})").status();
  EXPECT_THAT(std::string(status.message()), testing::Not(testing::HasSubstr("secret")));
}

}  // namespace
}  // namespace entrepot::upstream
