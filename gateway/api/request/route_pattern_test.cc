#include "gateway/api/request/route_pattern.h"

#include "gtest/gtest.h"

namespace entrepot::gateway::api {
namespace {

TEST(RoutePatternTest, MatchesALiteralPathExactly) {
  constexpr RoutePattern kPattern("/v2/_catalog");
  EXPECT_TRUE(kPattern.Match("/v2/_catalog").has_value());
  for (const char* path : {"", "/v2/", "/v2/_catalog/", "/v2/_catalogs", "/v2"}) {
    EXPECT_FALSE(kPattern.Match(path).has_value()) << path;
  }
  EXPECT_FALSE(kPattern.has_repository());
  EXPECT_FALSE(kPattern.has_argument());
}

TEST(RoutePatternTest, ReadsTheRepositoryAndTheArgumentFromTheRight) {
  constexpr RoutePattern kPattern("/v2/{repository}/blobs/{digest}");
  EXPECT_EQ(kPattern.argument(), "{digest}");
  const auto values = kPattern.Match("/v2/a/blobs/b/blobs/x");
  ASSERT_TRUE(values.has_value());
  EXPECT_EQ(values->repository, "a/blobs/b");
  EXPECT_EQ(values->argument, "x");
  for (const char* path : {"/v2/a/blobs/", "/v2/blobs/x", "/v2//blobs/x", "/v2/a/xblobs/x", "/v2/a/blobs", "/v2/"}) {
    EXPECT_FALSE(kPattern.Match(path).has_value()) << path;
  }
}

TEST(RoutePatternTest, MatchesARepositoryAtTheEnd) {
  constexpr RoutePattern kPattern("/entrepot/v1/repositories/{repository}");
  EXPECT_EQ(kPattern.Match("/entrepot/v1/repositories/a/b")->repository, "a/b");
  EXPECT_FALSE(kPattern.Match("/entrepot/v1/repositories/").has_value());
  EXPECT_FALSE(kPattern.Match("/entrepot/v1/repositories/a/").has_value());
}

TEST(RoutePatternTest, MatchesAnArgumentWithoutARepository) {
  constexpr RoutePattern kPattern("/jobs/{id}");
  EXPECT_EQ(kPattern.Match("/jobs/7")->argument, "7");
  EXPECT_FALSE(kPattern.Match("/jobs/7/log").has_value());
  EXPECT_FALSE(kPattern.Match("/jobs/").has_value());
}

TEST(RoutePatternTest, WritesThePathThatItReads) {
  EXPECT_EQ(RoutePattern("/v2/{repository}/manifests/{reference}").Path("a/b", "latest"), "/v2/a/b/manifests/latest");
  EXPECT_EQ(RoutePattern("/v2/{repository}/tags/list").Path("a", ""), "/v2/a/tags/list");
  EXPECT_EQ(RoutePattern("/token").Path("", ""), "/token");
}

}  // namespace
}  // namespace entrepot::gateway::api
