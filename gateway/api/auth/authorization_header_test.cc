#include "gateway/api/auth/authorization_header.h"

#include <string>

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway::api {
namespace {

TEST(ParseAuthorizationTest, TakesASchemeAndACredential) {
  ASSERT_OK_AND_ASSIGN(const Authorization bearer, ParseAuthorization("bEARER  a.b-c_d~e+f/g== "));
  EXPECT_TRUE(bearer.IsBearer());
  EXPECT_FALSE(bearer.IsBasic());
  EXPECT_EQ(bearer.credentials, "a.b-c_d~e+f/g==");
  ASSERT_OK_AND_ASSIGN(const Authorization basic, ParseAuthorization("Basic YTpi"));
  EXPECT_TRUE(basic.IsBasic());
}

TEST(ParseAuthorizationTest, RefusesAllElseWithoutRepeatingIt) {
  for (const char* value : {"", " ", "Bearer", "Bearer ", "hush", "Bearer hush hush", "Bearer hush,hush",
                            "Bearer =hush", "Bearer =", "Bearer hush=hush", "Bea(rer hush", "Digest a=\"hush\"",
                            " Bearer hush", "Bearer\thush", "Bearer hush\xff"}) {
    const absl::Status status = ParseAuthorization(value).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument)) << value;
    EXPECT_EQ(status.message().find("hush"), absl::string_view::npos) << value;
  }
}

TEST(ReadAuthorizationTest, TakesOneFieldAtMost) {
  http::Request request;
  EXPECT_THAT(ReadAuthorization(request), IsOkAndHolds(testing::Eq(std::nullopt)));
  request.fields = {{"Accept", "x"}, {"AUTHORIZATION", "Bearer a"}};
  ASSERT_OK_AND_ASSIGN(const std::optional<Authorization> one, ReadAuthorization(request));
  ASSERT_TRUE(one.has_value());
  EXPECT_EQ(one->credentials, "a");
  request.fields.push_back({"authorization", "Bearer a"});
  EXPECT_THAT(ReadAuthorization(request).status(), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace entrepot::gateway::api
