#include "gateway/api/auth/basic_credentials.h"

#include <string>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway::api {
namespace {

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

TEST(BasicCredentialsTest, RefusesWhatIsNone) {
  EXPECT_THAT(ParseBasicCredentials("!"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ParseBasicCredentials("YTpi YTpi"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ParseBasicCredentials(absl::Base64Escape("no colon")), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ParseBasicCredentials(absl::Base64Escape("a:\xff")), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ParseBasicCredentials(absl::Base64Escape("a:" + std::string(4000, 'x'))),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace entrepot::gateway::api
