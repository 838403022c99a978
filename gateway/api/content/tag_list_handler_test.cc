#include "gateway/api/content/tag_list_handler.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "boost/json/parse.hpp"
#include "gateway/api/testing/test_registry.h"
#include "gtest/gtest.h"

namespace entrepot::gateway::api {
namespace {

class TagListHandlerTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* tag : {"b", "a", "c", "ca"}) registry_.PushImage("r", tag);
    registry_.PushImage("r/x", "elsewhere");
  }
  RawResponse List(const std::string& query) { return registry_.Call("GET", "/v2/r/tags/list" + query); }

  TestRegistry registry_;
};

TEST_F(TagListHandlerTest, ListsInOrder) {
  const RawResponse response = List("");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Field("content-type"), "application/json");
  EXPECT_EQ(response.body, R"({"name":"r","tags":["a","b","c","ca"]})");
  EXPECT_EQ(response.Field("link"), "(none)");
}

TEST_F(TagListHandlerTest, ListsInPages) {
  const RawResponse first = List("?n=3");
  EXPECT_EQ(first.body, R"({"name":"r","tags":["a","b","c"]})");
  EXPECT_EQ(first.Field("link"), "</v2/r/tags/list?n=3&last=c>; rel=\"next\"");
  const RawResponse second = List("?n=3&last=c");
  EXPECT_EQ(second.body, R"({"name":"r","tags":["ca"]})");
  EXPECT_EQ(second.Field("link"), "(none)");
  EXPECT_EQ(List("?n=4").Field("link"), "(none)");
}

TEST_F(TagListHandlerTest, ListsAThousandTagsUnlessMoreAreRequested) {
  const std::string path = absl::StrCat("/v2/many/manifests/", registry_.PushImage("many", "a").ToString(), "?tag=a");
  for (int i = 0; i < 12; ++i) {
    std::string tags;
    for (int j = 0; j < 99; ++j) absl::StrAppend(&tags, "&tag=t", 1000 + 100 * i + j);
    ASSERT_EQ(registry_.Call("PUT", path + tags, TestRegistry::Image()).status, 201);
  }
  const auto count = [&](const std::string& query, const std::string& link) {
    const RawResponse response = registry_.Call("GET", "/v2/many/tags/list" + query);
    EXPECT_EQ(response.Field("link"), link);
    return boost::json::parse(response.body).at("tags").as_array().size();
  };
  EXPECT_EQ(count("", "</v2/many/tags/list?n=1000&last=t2008>; rel=\"next\""), 1000u);
  EXPECT_EQ(count("?n=1000&last=t2008", "(none)"), 189u);
  EXPECT_EQ(count("?n=5000", "(none)"), 1189u);
}

TEST_F(TagListHandlerTest, AcceptsAnyLast) {
  EXPECT_EQ(List("?last=b").body, R"({"name":"r","tags":["c","ca"]})");
  EXPECT_EQ(List("?last=bb").body, R"({"name":"r","tags":["c","ca"]})");
  EXPECT_EQ(List("?last=zzz").body, R"({"name":"r","tags":[]})");
  const RawResponse odd = List("?n=2&last=A'%20OR%201=1;--%0d%0aX:1");
  EXPECT_EQ(odd.body, R"({"name":"r","tags":["a","b"]})");
  EXPECT_EQ(odd.Field("x"), "(none)");
}

TEST_F(TagListHandlerTest, ReturnsNoTagsForALimitOfZero) {
  const RawResponse response = List("?n=0");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, R"({"name":"r","tags":[]})");
  EXPECT_EQ(response.Field("link"), "(none)");
}

TEST_F(TagListHandlerTest, RefusesOtherNumbers) {
  for (const char* query : {"?n=-1", "?n=abc", "?n=10000000000000000000", "?n=", "?n=1&n=2"}) {
    const RawResponse response = List(query);
    EXPECT_EQ(response.status, 400) << query;
    EXPECT_EQ(ErrorCode(response), "PAGINATION_NUMBER_INVALID") << query;
  }
  EXPECT_EQ(List("?n=9223372036854775807").status, 200);
}

TEST_F(TagListHandlerTest, RespondsNotFoundForAnUnknownRepository) {
  for (const char* query : {"", "?n=0"}) {
    const RawResponse response = registry_.Call("GET", std::string("/v2/never/tags/list") + query);
    EXPECT_EQ(response.status, 404) << query;
    EXPECT_EQ(ErrorCode(response), "NAME_UNKNOWN") << query;
  }
}

TEST_F(TagListHandlerTest, ReturnsAnEmptyListWithoutTags) {
  for (const char* tag : {"a", "b", "c", "ca"}) {
    EXPECT_EQ(registry_.Call("DELETE", std::string("/v2/r/manifests/") + tag).status, 202);
  }
  EXPECT_EQ(List("").body, R"({"name":"r","tags":[]})");
}

}  // namespace
}  // namespace entrepot::gateway::api
