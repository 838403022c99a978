#include "gateway/api/content/repository_list_handler.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/api/testing/test_auth.h"
#include "gateway/api/testing/test_registry.h"
#include "gtest/gtest.h"

namespace entrepot::gateway::api {
namespace {

TEST(RepositoryListHandlerTest, ListsRepositoriesInPages) {
  TestRegistry registry;
  EXPECT_EQ(registry.Call("GET", "/v2/_catalog").body, R"({"repositories":[]})");
  for (const char* name : {"b", "a", "a/b", "a-b"}) registry.PushImage(name, "latest");
  EXPECT_EQ(registry.Call("GET", "/v2/_catalog").body, R"({"repositories":["a","a-b","a/b","b"]})");
  const RawResponse first = registry.Call("GET", "/v2/_catalog?n=3");
  EXPECT_EQ(first.body, R"({"repositories":["a","a-b","a/b"]})");
  EXPECT_EQ(first.Field("link"), "</v2/_catalog?n=3&last=a%2Fb>; rel=\"next\"");
  const RawResponse second = registry.Call("GET", "/v2/_catalog?n=3&last=a%2Fb");
  EXPECT_EQ(second.body, R"({"repositories":["b"]})");
  EXPECT_EQ(second.Field("link"), "(none)");
  EXPECT_EQ(registry.Call("GET", "/v2/_catalog?n=0").body, R"({"repositories":[]})");
  EXPECT_EQ(ErrorCode(registry.Call("GET", "/v2/_catalog?n=-1")), "PAGINATION_NUMBER_INVALID");
}

TEST(RepositoryListHandlerTest, ListsOnlyRepositoriesThatTheCallerMayRead) {
  TestAuth auth;
  TestRegistry registry({}, auth.accounts());
  for (const char* name : {"team/a", "team/b", "other"}) {
    registry.AddToRequests(Bearer(auth.Token("root", absl::StrCat("repository:", name, ":*"))));
    registry.PushImage(name, "latest");
  }
  registry.AddToRequests(Bearer(auth.Token("ann", "registry:catalog:*")));
  EXPECT_EQ(registry.Call("GET", "/v2/_catalog").body, R"({"repositories":[]})");
  auth.ShowRepositories({"team/**"});
  EXPECT_EQ(registry.Call("GET", "/v2/_catalog").body, R"({"repositories":["team/a","team/b"]})");
  const RawResponse first = registry.Call("GET", "/v2/_catalog?n=1");
  EXPECT_EQ(first.body, R"({"repositories":["team/a"]})");
  EXPECT_EQ(first.Field("link"), "</v2/_catalog?n=1&last=team%2Fa>; rel=\"next\"");
  auth.ShowRepositories({"other", "team/b"});
  EXPECT_EQ(registry.Call("GET", "/v2/_catalog").body, R"({"repositories":["other","team/b"]})");
}

}  // namespace
}  // namespace entrepot::gateway::api
