#include "gateway/api/registry_api.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/api/testing/test_registry.h"
#include "gtest/gtest.h"

namespace entrepot::gateway::api {
namespace {

const std::string kDigest = "sha256:" + std::string(64, '0');
const std::string kSession(32, '0');

TEST(RegistryApiTest, RespondsToTheBase) {
  TestRegistry registry;
  for (const char* path : {"/v2/", "/v2", "/v2/?x=y"}) {
    const RawResponse response = registry.Call("GET", path);
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_EQ(response.body, "{}") << path;
    EXPECT_EQ(response.Field("content-type"), "application/json") << path;
  }
  const RawResponse head = registry.Call("HEAD", "/v2/");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.Field("content-length"), "2");
}

TEST(RegistryApiTest, SendsItsVersionWithEveryResponse) {
  TestRegistry registry;
  for (const char* target :
       {"/v2/", "/v2/a/manifests/latest", "/v2/A/manifests/latest", "/nowhere", "/v2/a%00/tags/list", "/v2/_catalog"}) {
    EXPECT_EQ(registry.Call("GET", target).Field("docker-distribution-api-version"), "registry/2.0") << target;
  }
  EXPECT_EQ(registry.Call("POST", "/v2/").Field("docker-distribution-api-version"), "registry/2.0");
  // A request whose header is refused.
  const RawResponse refused = registry.Call("GET", "/v2/", "", "Broken Field: x\r\n");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.Field("docker-distribution-api-version"), "registry/2.0");
  EXPECT_NE(ErrorCode(refused), "");
}

TEST(RegistryApiTest, SendsFieldsForBrowsersWithEveryResponse) {
  TestRegistry registry;
  const Digest digest = registry.PushImage("a", "latest");
  const auto expect_fields = [](const RawResponse& response) {
    EXPECT_EQ(response.Field("x-content-type-options"), "nosniff") << response.status;
    EXPECT_EQ(response.Field("content-security-policy"), "sandbox; default-src 'none'") << response.status;
    EXPECT_EQ(response.Field("cross-origin-resource-policy"), "same-origin") << response.status;
    EXPECT_EQ(response.Field("access-control-allow-origin"), "(none)") << response.status;
  };
  for (const char* target : {"/", "/v2/", "/v2/_catalog", "/v2/a/manifests/latest", "/v2/a/manifests/absent",
                             "/v2/a/tags/list", "/v2/A/tags/list", "/nowhere"}) {
    expect_fields(registry.Call("GET", target));
    expect_fields(registry.Call("HEAD", target));
  }
  expect_fields(registry.Call("OPTIONS", "/v2/"));
  expect_fields(registry.Call("POST", "/v2/a/blobs/uploads/"));
  expect_fields(registry.Call("GET", "/v2/", "", "Broken Field: x\r\n"));
  const RawResponse unchanged = registry.Call("GET", "/v2/a/manifests/latest", "",
                                              absl::StrCat("If-None-Match: \"", digest.ToString(), "\"\r\n"));
  EXPECT_EQ(unchanged.status, 304);
  expect_fields(unchanged);
}

TEST(RegistryApiTest, ListsTheMethodsOfARouteInAllow) {
  struct Case {
    std::string path;
    std::string allow;
    std::vector<std::string> refused;
  };
  const std::vector<Case> cases = {
      {"/v2/", "GET, HEAD", {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"}},
      {"/v2/_catalog", "GET, HEAD", {"POST", "DELETE"}},
      {"/v2/a/tags/list", "GET, HEAD", {"POST", "PUT", "DELETE", "PATCH"}},
      {"/v2/a/referrers/" + kDigest, "GET, HEAD", {"POST", "DELETE"}},
      {"/v2/a/blobs/" + kDigest, "GET, HEAD, DELETE", {"POST", "PUT", "PATCH", "TRACE"}},
      {"/v2/a/blobs/uploads/", "POST", {"GET", "HEAD", "PUT", "PATCH", "DELETE"}},
      {"/v2/a/blobs/uploads/" + kSession, "GET, HEAD, PATCH, PUT, DELETE", {"POST", "TRACE", "OPTIONS"}},
      {"/v2/a/manifests/latest", "GET, HEAD, PUT, DELETE", {"POST", "PATCH", "PROPFIND"}},
  };
  TestRegistry registry;
  for (const Case& c : cases) {
    for (const std::string& method : c.refused) {
      const RawResponse response = registry.Call(method, c.path);
      EXPECT_EQ(response.status, 405) << method << " " << c.path;
      EXPECT_EQ(response.Field("allow"), c.allow) << method << " " << c.path;
      if (method != "HEAD") {
        EXPECT_EQ(ErrorCode(response), "UNSUPPORTED") << method << " " << c.path;
      }
    }
  }
}

TEST(RegistryApiTest, RefusesInvalidNamesAndPaths) {
  struct Case {
    std::string target;
    int status;
    std::string code;
  };
  const std::vector<Case> cases = {
      {"/v2/Upper/manifests/latest", 400, "NAME_INVALID"},
      {"/v2/../manifests/latest", 400, "NAME_INVALID"},
      {"/v2/a/../b/manifests/latest", 400, "NAME_INVALID"},
      {"/v2/%2e%2e/manifests/latest", 400, "NAME_INVALID"},
      {"/v2/a/%2e%2e%2fb/blobs/" + kDigest, 400, "NAME_INVALID"},
      {"/v2/a%252Fb/manifests/latest", 400, "NAME_INVALID"},
      {"/v2/" + std::string(256, 'a') + "/manifests/latest", 400, "NAME_INVALID"},
      {"/v2/a%00b/manifests/latest", 400, "NAME_INVALID"},
      {"/v2/a/manifests/x%0d%0aInjected:1", 400, "NAME_INVALID"},
      {"/v2/a%ff/manifests/latest", 400, "NAME_INVALID"},
      {"/v2/a%zz/manifests/latest", 400, "NAME_INVALID"},
      {"/v2/a//manifests/latest", 404, "NAME_UNKNOWN"},
      {"/v2//a/manifests/latest", 404, "NAME_UNKNOWN"},
      {"/v2/a/manifests/latest/", 404, "NAME_UNKNOWN"},
      {"/v2/a/tags/list/", 404, "NAME_UNKNOWN"},
      {"//v2/a/tags/list", 404, "NAME_UNKNOWN"},
      {"/v1/", 404, "NAME_UNKNOWN"},
      {"/metrics", 404, "NAME_UNKNOWN"},
      {"/v2/a/manifests/.hidden", 400, "TAG_INVALID"},
      {"/v2/a/manifests/" + std::string(129, 'a'), 400, "TAG_INVALID"},
      {"/v2/a/manifests/sha256:abc", 400, "DIGEST_INVALID"},
      {"/v2/a/manifests/sha256:" + std::string(64, 'A'), 400, "DIGEST_INVALID"},
      {"/v2/a/manifests/md5:" + std::string(32, '0'), 400, "DIGEST_INVALID"},
      {"/v2/a/blobs/sha256:../" + std::string(61, '0'), 404, "NAME_UNKNOWN"},
      {"/v2/a/blobs/latest", 400, "DIGEST_INVALID"},
      {"/v2/a/referrers/latest", 400, "DIGEST_INVALID"},
      {"/v2/a/blobs/uploads/not-a-session", 404, "BLOB_UPLOAD_UNKNOWN"},
      {"/v2/a/manifests/sha256-" + std::string(64, '0'), 404, "MANIFEST_UNKNOWN"},
  };
  TestRegistry registry;
  for (const Case& c : cases) {
    const RawResponse response = registry.Call("GET", c.target);
    EXPECT_EQ(response.status, c.status) << c.target;
    EXPECT_EQ(ErrorCode(response), c.code) << c.target;
    EXPECT_EQ(response.Field("content-type"), "application/json") << c.target;
  }
}

TEST(RegistryApiTest, AcceptsNamesThatContainWordsOfTheApi) {
  TestRegistry registry;
  for (const char* name : {"blobs/uploads", "manifests", "tags/list", "a/blobs", "v2"}) {
    const Digest digest = registry.PushImage(name, "manifests");
    EXPECT_EQ(registry.Call("GET", absl::StrCat("/v2/", name, "/manifests/manifests")).status, 200) << name;
    EXPECT_EQ(registry.Call("GET", absl::StrCat("/v2/", name, "/manifests/", digest.ToString())).status, 200) << name;
    EXPECT_EQ(registry.Call("GET", absl::StrCat("/v2/", name, "/tags/list")).body,
              absl::StrCat(R"({"name":")", name, R"(","tags":["manifests"]})"));
  }
}

TEST(RegistryApiTest, RespondsToHeadAsToGetWithoutABody) {
  TestRegistry registry;
  const RawResponse get = registry.Call("GET", "/v2/a/manifests/latest");
  const RawResponse head = registry.Call("HEAD", "/v2/a/manifests/latest");
  EXPECT_EQ(get.status, 404);
  EXPECT_EQ(head.status, 404);
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(head.Field("content-length"), absl::StrCat(get.body.size()));
}

}  // namespace
}  // namespace entrepot::gateway::api
