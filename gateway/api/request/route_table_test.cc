#include "gateway/api/request/route_table.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway::api {
namespace {

struct Expected {
  std::string path;
  RouteFamily family;
  std::string repository;
  std::string argument;
};

void ExpectRoutes(const std::vector<Expected>& cases) {
  for (const Expected& expected : cases) {
    std::string decoded;
    const absl::StatusOr<Route> route = ParseRoute(expected.path, &decoded);
    ASSERT_TRUE(route.ok()) << expected.path << ": " << route.status();
    EXPECT_EQ(route->family, expected.family) << expected.path;
    EXPECT_EQ(route->repository, expected.repository) << expected.path;
    EXPECT_EQ(route->argument, expected.argument) << expected.path;
  }
}

TEST(ParseRouteTest, ParsesEveryRoute) {
  const std::vector<Expected> cases = {
      {"/v2/", RouteFamily::kBase, "", ""},
      {"/v2", RouteFamily::kBase, "", ""},
      {"/v2/_catalog", RouteFamily::kRepositoryList, "", ""},
      {"/v2/a/blobs/sha256:1", RouteFamily::kBlob, "a", "sha256:1"},
      {"/v2/a/blobs/sha256%3A1", RouteFamily::kBlob, "a", "sha256:1"},
      {"/v2/a/b/c/blobs/uploads/", RouteFamily::kUploadStart, "a/b/c", ""},
      {"/v2/a/b/blobs/uploads/0123", RouteFamily::kUploadSession, "a/b", "0123"},
      {"/v2/a/manifests/latest", RouteFamily::kManifest, "a", "latest"},
      {"/v2/a/tags/list", RouteFamily::kTagList, "a", ""},
      {"/v2/a/referrers/sha256:1", RouteFamily::kReferrers, "a", "sha256:1"},
      {"/token", RouteFamily::kToken, "", ""},
      {"/", RouteFamily::kFrontPage, "", ""},
      {"/.well-known/jwks.json", RouteFamily::kKeySet, "", ""},
      {"/entrepot/v1/administer", RouteFamily::kAdmin, "", ""},
      {"/entrepot/v1/maintain", RouteFamily::kMaintenance, "", ""},
      {"/entrepot/v1/upstreams", RouteFamily::kUpstreams, "", ""},
      {"/entrepot/v1/repositories/a", RouteFamily::kRepository, "a", ""},
      {"/entrepot/v1/repositories/a/b%2Fc", RouteFamily::kRepository, "a/b/c", ""},
  };
  ExpectRoutes(cases);
}

TEST(ParseRouteTest, AcceptsNamesThatContainWordsOfTheApi) {
  const std::vector<Expected> cases = {
      {"/v2/blobs/uploads/blobs/uploads/", RouteFamily::kUploadStart, "blobs/uploads", ""},
      {"/v2/blobs/uploads/blobs/uploads/x", RouteFamily::kUploadSession, "blobs/uploads", "x"},
      {"/v2/blobs/uploads/manifests/x", RouteFamily::kManifest, "blobs/uploads", "x"},
      {"/v2/blobs/uploads/tags/list", RouteFamily::kTagList, "blobs/uploads", ""},
      {"/v2/manifests/manifests/manifests", RouteFamily::kManifest, "manifests", "manifests"},
      {"/v2/tags/list/tags/list", RouteFamily::kTagList, "tags/list", ""},
      {"/v2/tags/list/manifests/list", RouteFamily::kManifest, "tags/list", "list"},
      {"/v2/uploads/blobs/x", RouteFamily::kBlob, "uploads", "x"},
      {"/v2/a/uploads/blobs/x", RouteFamily::kBlob, "a/uploads", "x"},
      {"/v2/_catalog/tags/list", RouteFamily::kTagList, "_catalog", ""},
      {"/v2/a%2Fb/manifests/x", RouteFamily::kManifest, "a/b", "x"},
      {"/v2/a%252Fb/manifests/x", RouteFamily::kManifest, "a%2Fb", "x"},
      {"/v2/../manifests/x", RouteFamily::kManifest, "..", "x"},
      {"/v2/%2e%2e/manifests/x", RouteFamily::kManifest, "..", "x"},
  };
  ExpectRoutes(cases);
}

TEST(ParseRouteTest, RefusesUnknownPaths) {
  for (const char* path : {"",
                           "//",
                           "*",
                           "/v1/",
                           "/v2x",
                           "/v2//",
                           "/v2/a",
                           "/v2/_catalog/",
                           "/v2/a/blobs/",
                           "/v2/a/manifests/",
                           "/v2/a/tags/",
                           "/v2/a/tags/list/",
                           "/v2/a/tags/other",
                           "/v2/a/referrers/",
                           "/v2/a/manifests/x/",
                           "/v2/a//manifests/x",
                           "/v2//a/manifests/x",
                           "//v2/a/manifests/x",
                           "/v2/a/manifests//x",
                           "/v2/manifests/x",
                           "/v2/blobs/x",
                           "/v2/tags/list",
                           "/v2/blobs/uploads/",
                           "/v2/blobs/uploads/x",
                           "/v2/a/blobs/uploads//",
                           "/v2/a/uploads/",
                           "/v2/a/xblobs/uploads/",
                           "/v2/a%2F%2Fmanifests/x",
                           "/v2/%2Fmanifests/x",
                           "/healthz",
                           "/metrics",
                           "/V2/",
                           "/v2/a/manifest/x",
                           "/token/",
                           "//token",
                           "/Token",
                           "/v2/token",
                           "/.well-known/",
                           "/.well-known/jwks.json/",
                           "/.well-known/openid-configuration",
                           "/entrepot/v1/",
                           "/entrepot/v1/administer/",
                           "/entrepot/v1/maintain/",
                           "/entrepot/v1/upstreams/",
                           "/entrepot/v1/upstreams/docker.io",
                           "/entrepot//v1/administer",
                           "/entrepot/v2/administer",
                           "/entrepot/v1/repositories",
                           "/entrepot/v1/repositories/",
                           "/entrepot/v1/repositories//a",
                           "/entrepot/v1/repositories/a/",
                           "/entrepot/v1/repositories/a//b"}) {
    std::string decoded;
    EXPECT_THAT(ParseRoute(path, &decoded), StatusIs(absl::StatusCode::kNotFound)) << path;
  }
}

TEST(ParseRouteTest, RefusesInvalidText) {
  for (const char* path : {"/v2/a%00b/manifests/x", "/v2/a/manifests/x%0d%0aInjected:%201", "/v2/a%ff/manifests/x",
                           "/v2/a\xff/manifests/x", "/v2/a%c0%af/manifests/x", "/v2/a%zz/manifests/x", "/v2/a/%",
                           "/v2/a/manifests/x%2", "/v2/a%7f/manifests/x"}) {
    std::string decoded;
    EXPECT_THAT(ParseRoute(path, &decoded), IsOciError(OciErrorCode::kNameInvalid)) << path;
  }
}

TEST(RouteTableTest, NoTwoRoutesMatchOnePath) {
  for (const RouteInfo& info : kRouteTable) {
    const std::string path = RoutePath(info.family, "blobs/uploads", "list");
    for (const RouteInfo& other : kRouteTable) {
      EXPECT_EQ(other.pattern.Match(path).has_value(), other.family == info.family) << path << " and " << other.label;
    }
  }
}

TEST(RouteTableTest, FindsTheMethodsOfARouteOnly) {
  for (const RouteInfo& info : kRouteTable) {
    for (const RouteMethod& method : info.methods) EXPECT_EQ(info.Find(method.name), &method) << info.label;
    for (const absl::string_view method : {"TRACE", "CONNECT", "OPTIONS", "get", "", "PROPFIND"}) {
      EXPECT_EQ(info.Find(method), nullptr) << info.label << " " << method;
    }
  }
}

TEST(RouteTableTest, EveryRouteOfARepositoryNeedsAPermission) {
  for (const RouteInfo& info : kRouteTable) {
    for (const RouteMethod& method : info.methods) {
      const bool specific = method.permission == Permission::kPull || method.permission == Permission::kPush ||
                            method.permission == Permission::kDelete || method.permission == Permission::kAdmin;
      if (info.pattern.has_repository()) {
        EXPECT_TRUE(specific) << info.label << " " << method.name;
      }
      if (method.permission == Permission::kNone && info.family != RouteFamily::kFrontPage) {
        EXPECT_EQ(info.presence, Presence::kWithAccounts) << info.label << " " << method.name;
      }
    }
  }
}

}  // namespace
}  // namespace entrepot::gateway::api
