#include "gateway/api/catalog_handler.h"

#include <string>

#include "gateway/api/testing/test_registry.h"
#include "gtest/gtest.h"

namespace entrepot::gateway::api {
namespace {

TEST(CatalogHandlerTest, ListsRepositoriesInPages) {
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

}  // namespace
}  // namespace entrepot::gateway::api
