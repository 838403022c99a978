#include "services/upstream/names/platform.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::upstream {
namespace {

using ::testing::HasSubstr;

TEST(PlatformTest, ParsesPlatforms) {
  ASSERT_OK_AND_ASSIGN(const Platform platform, ParsePlatform("linux/arm/v7"));
  EXPECT_EQ(platform.os, "linux");
  EXPECT_EQ(platform.architecture, "arm");
  EXPECT_EQ(platform.variant, "v7");
  EXPECT_EQ(ParsePlatform("linux/amd64")->ToString(), "linux/amd64");
  for (const char* const text : {"", "linux", "linux/", "/amd64", "linux/a/b/c", "Linux/amd64", "linux/am d64"}) {
    EXPECT_THAT(ParsePlatform(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
    EXPECT_THAT(std::string(ParsePlatform(text).status().message()), HasSubstr("linux/amd64"));
  }
}

TEST(PlatformTest, MatchesPlatforms) {
  const auto matches = [](absl::string_view platform, absl::string_view wanted) {
    return Matches(*ParsePlatform(platform), *ParsePlatform(wanted));
  };
  EXPECT_TRUE(matches("linux/amd64", "linux/amd64"));
  EXPECT_FALSE(matches("linux/amd64", "linux/arm64"));
  EXPECT_FALSE(matches("windows/amd64", "linux/amd64"));
  EXPECT_TRUE(matches("linux/arm/v7", "linux/arm"));
  EXPECT_FALSE(matches("linux/arm/v7", "linux/arm/v6"));
  EXPECT_TRUE(matches("linux/arm64", "linux/arm64/v8"));
  EXPECT_TRUE(matches("linux/arm64/v8", "linux/arm64"));
  EXPECT_FALSE(matches("linux/amd64", "linux/amd64/v3"));
}

}  // namespace
}  // namespace entrepot::upstream
