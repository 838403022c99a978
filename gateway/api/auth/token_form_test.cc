#include "gateway/api/auth/token_form.h"

#include <string>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway::api {
namespace {

std::string ProblemOf(const absl::StatusOr<auth::v1::IssueTokenRequest>& request) {
  EXPECT_THAT(request, StatusIs(absl::StatusCode::kInvalidArgument));
  return std::string(request.status().message());
}

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
  for (int i = 0; i < 1000; ++i) text += "a+";
  EXPECT_OK(ReadTokenQuery(ParseForm(text).value(), std::nullopt).status());
  EXPECT_EQ(ProblemOf(ReadTokenQuery(ParseForm(text + "a").value(), std::nullopt)),
            "the request has more than 1000 scopes (limits.scopes_max)");
  EXPECT_EQ(ProblemOf(ReadTokenQuery(ParseForm("scope=a&scope=b+c").value(), std::nullopt, {.scopes_max = 2})),
            "the request has more than 2 scopes (limits.scopes_max)");
  EXPECT_EQ(ProblemOf(ReadTokenQuery(ParseForm("scope=" + std::string(1025, 'a')).value(), std::nullopt)),
            "a scope is longer than 1024 bytes (a fixed limit)");
}

TEST(ReadTokenTest, BoundsCredentialsBothWays) {
  const Query nothing = ParseForm("").value();
  const auto basic = [&](const std::string& account, size_t bytes) {
    const std::string credential = absl::Base64Escape(account + ":" + std::string(bytes, 'p'));
    return ReadTokenQuery(nothing, Authorization{"Basic", credential});
  };
  const auto form = [](const std::string& fields, size_t bytes) {
    return ReadTokenForm(ParseForm("grant_type=" + fields + std::string(bytes, 'p')).value());
  };
  constexpr size_t kMost = 32 * 1024;
  ASSERT_OK_AND_ASSIGN(const auto longest, basic("oidc", kMost));
  EXPECT_EQ(longest.password().password().size(), kMost);
  EXPECT_OK(form("password&username=oidc&password=", kMost));
  EXPECT_OK(form("refresh_token&refresh_token=", kMost));
  EXPECT_OK(form("urn:ietf:params:oauth:grant-type:token-exchange&subject_token=", kMost));
  const std::string problem = " is longer than 32768 bytes (limits.credential_bytes_max)";
  EXPECT_EQ(ProblemOf(basic("oidc", kMost + 1)), "the password" + problem);
  EXPECT_EQ(ProblemOf(form("password&username=oidc&password=", kMost + 1)), "the password" + problem);
  EXPECT_EQ(ProblemOf(form("refresh_token&refresh_token=", kMost + 1)), "\"refresh_token\"" + problem);
  EXPECT_EQ(ProblemOf(form("urn:ietf:params:oauth:grant-type:token-exchange&subject_token=", kMost + 1)),
            "\"subject_token\"" + problem);
  EXPECT_EQ(ProblemOf(basic(std::string(257, 'a'), 1)), "the account is longer than 256 bytes (a fixed limit)");
}

TEST(ReadTokenTest, NoAccountAndNoPasswordIsNoCredential) {
  const Query nothing = ParseForm("").value();
  ASSERT_OK_AND_ASSIGN(const auto queried, ReadTokenQuery(nothing, Authorization{"Basic", "Og=="}));
  EXPECT_EQ(queried.credential_case(), auth::v1::IssueTokenRequest::CREDENTIAL_NOT_SET);
  ASSERT_OK_AND_ASSIGN(const auto posted, ReadTokenForm(ParseForm("grant_type=password&username=&password=").value()));
  EXPECT_EQ(posted.credential_case(), auth::v1::IssueTokenRequest::CREDENTIAL_NOT_SET);
  // A password without an account, or the reverse, is a credential.
  ASSERT_OK_AND_ASSIGN(const auto wrong, ReadTokenQuery(nothing, Authorization{"Basic", absl::Base64Escape(":x")}));
  EXPECT_EQ(wrong.credential_case(), auth::v1::IssueTokenRequest::kPassword);
  EXPECT_EQ(ProblemOf(ReadTokenForm(ParseForm("grant_type=password&username=&password=x").value())),
            "\"username\" is missing");
  EXPECT_EQ(ProblemOf(ReadTokenForm(ParseForm("grant_type=password&password=").value())), "\"username\" is missing");
  EXPECT_EQ(ProblemOf(ReadTokenForm(ParseForm("grant_type=password&username=a&password=").value())),
            "\"password\" is missing");
}

}  // namespace
}  // namespace entrepot::gateway::api
