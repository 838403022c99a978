#include "gateway/api/request/content_type.h"

#include "gtest/gtest.h"

namespace entrepot::gateway::api {
namespace {

TEST(ContentTypeTest, ComparesWithoutParameters) {
  http::Request request;
  EXPECT_FALSE(HasContentType(request, "application/json"));
  for (const char* json : {"application/json", "Application/JSON", "application/json; charset=utf-8",
                           "application/json ;x", "application/json;"}) {
    request.fields = {{"content-type", json}};
    EXPECT_TRUE(HasContentType(request, "application/json")) << json;
  }
  for (const char* other : {"", ";application/json", "text/plain", "application/jsonx", "application/json, text/plain",
                            "text/plain; application/json"}) {
    request.fields = {{"content-type", other}};
    EXPECT_FALSE(HasContentType(request, "application/json")) << other;
  }
}

}  // namespace
}  // namespace entrepot::gateway::api
