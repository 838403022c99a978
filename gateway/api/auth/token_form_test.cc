#include "gateway/api/auth/token_form.h"

#include <string>

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway::api {
namespace {

TEST(ParseFormTest, DecodesAPlusAsABlank) {
  ASSERT_OK_AND_ASSIGN(const Query form, ParseForm("a=b+c&d=e%2Bf&g=%20h"));
  EXPECT_EQ(form.All("a"), std::vector<std::string>{"b c"});
  EXPECT_EQ(form.All("d"), std::vector<std::string>{"e+f"});
  EXPECT_EQ(form.All("g"), std::vector<std::string>{" h"});
}

TEST(ParseFormTest, DoesNotRepeatARefusedForm) {
  const absl::Status status = ParseForm("password=hush%zz").status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(status.message().find("hush"), absl::string_view::npos);
}

TEST(ReadTokenQueryTest, ReadsEveryParameter) {
  ASSERT_OK_AND_ASSIGN(const Query query, ParseForm("service=s&client_id=c&offline_token=1&scope=a&scope=b+c"));
  ASSERT_OK_AND_ASSIGN(const auto request, ReadTokenQuery(query, Authorization{"BASIC", "YTpiOmM="}));
  EXPECT_EQ(request.service(), "s");
  EXPECT_EQ(request.client_id(), "c");
  EXPECT_TRUE(request.offline());
  EXPECT_EQ(request.scopes_size(), 3);
  EXPECT_EQ(request.password().account(), "a");
  EXPECT_EQ(request.password().password(), "b:c");
}

TEST(ReadTokenQueryTest, BoundsScopes) {
  std::string text = "scope=";
  for (int i = 0; i < 100; ++i) text += "a+";
  EXPECT_OK(ReadTokenQuery(ParseForm(text).value(), std::nullopt).status());
  EXPECT_THAT(ReadTokenQuery(ParseForm(text + "a").value(), std::nullopt).status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace entrepot::gateway::api
