#include "gateway/api/auth/authorization_header.h"

#include <string>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway::api {
namespace {

TEST(ParseAuthorizationTest, AcceptsASchemeAndACredential) {
  ASSERT_OK_AND_ASSIGN(const Authorization bearer, ParseAuthorization("bEARER  a.b-c_d~e+f/g== "));
  EXPECT_TRUE(bearer.IsBearer());
  EXPECT_FALSE(bearer.IsBasic());
  EXPECT_EQ(bearer.credentials, "a.b-c_d~e+f/g==");
  ASSERT_OK_AND_ASSIGN(const Authorization basic, ParseAuthorization("Basic YTpi"));
  EXPECT_TRUE(basic.IsBasic());
}

TEST(ParseAuthorizationTest, RefusesOtherValuesWithoutRepeatingThem) {
  for (const char* value : {"", " ", "Bearer", "Bearer ", "hush", "Bearer hush hush", "Bearer hush,hush",
                            "Bearer =hush", "Bearer =", "Bearer hush=hush", "Bea(rer hush", "Digest a=\"hush\"",
                            " Bearer hush", "Bearer\thush", "Bearer hush\xff"}) {
    const absl::Status status = ParseAuthorization(value).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument)) << value;
    EXPECT_EQ(status.message().find("hush"), absl::string_view::npos) << value;
  }
}

TEST(ReadAuthorizationTest, AcceptsOneFieldAtMost) {
  http::Request request;
  EXPECT_THAT(ReadAuthorization(request), IsOkAndHolds(testing::Eq(std::nullopt)));
  request.fields = {{"Accept", "x"}, {"AUTHORIZATION", "Bearer a"}};
  ASSERT_OK_AND_ASSIGN(const std::optional<Authorization> one, ReadAuthorization(request));
  ASSERT_TRUE(one.has_value());
  EXPECT_EQ(one->credentials, "a");
  request.fields.push_back({"authorization", "Bearer a"});
  EXPECT_THAT(ReadAuthorization(request).status(), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(BasicCredentialsTest, SplitsAtTheFirstColon) {
  const auto parse = [](absl::string_view text) { return ParseBasicCredentials(absl::Base64Escape(text)).value(); };
  EXPECT_EQ(parse("ann:secret").account, "ann");
  EXPECT_EQ(parse("ann:secret").password, "secret");
  EXPECT_EQ(parse("robot+ci:a:b:").account, "robot+ci");
  EXPECT_EQ(parse("robot+ci:a:b:").password, "a:b:");
  EXPECT_EQ(parse(":").account, "");
  EXPECT_EQ(parse("ann:").password, "");
  EXPECT_EQ(parse("j\xc3\xb6rg:\xe2\x82\xac").password, "\xe2\x82\xac");
}

TEST(BasicCredentialsTest, RefusesInvalidCredentials) {
  EXPECT_THAT(ParseBasicCredentials("!"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ParseBasicCredentials("YTpi YTpi"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ParseBasicCredentials(absl::Base64Escape("no colon")), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ParseBasicCredentials(absl::Base64Escape("a:\xff")), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace entrepot::gateway::api
