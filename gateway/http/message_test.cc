#include "gateway/http/message.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::gateway::http {
namespace {

using ::testing::Eq;
using ::testing::Optional;

Request RequestWithTwoAcceptFields() {
  Request request;
  request.fields = {{"Host", "registry"}, {"Accept", "a/b"}, {"accept", "c/d, e/f"}, {"Empty", ""}};
  return request;
}

TEST(RequestTest, FindIgnoresCaseAndReturnsTheFirstValue) {
  const Request request = RequestWithTwoAcceptFields();
  EXPECT_THAT(request.Find("ACCEPT"), Optional(Eq("a/b")));
  EXPECT_THAT(request.Find("empty"), Optional(Eq("")));
  EXPECT_THAT(request.Find("accept-encoding"), Eq(std::nullopt));
}

TEST(RequestTest, SetHostReplacesTheHostFieldOrAddsIt) {
  Request request = RequestWithTwoAcceptFields();
  request.SetHost("other");
  EXPECT_EQ(request.fields.size(), 4u);
  EXPECT_THAT(request.Find("Host"), Optional(Eq("other")));
  request.fields.clear();
  request.SetHost("other");
  EXPECT_THAT(request.Find("Host"), Optional(Eq("other")));
}

TEST(RequestTest, JoinReturnsAllValuesInOrder) {
  const Request request = RequestWithTwoAcceptFields();
  EXPECT_THAT(request.Join("Accept"), Eq("a/b, c/d, e/f"));
  EXPECT_THAT(request.Join("host"), Eq("registry"));
  EXPECT_THAT(request.Join("empty"), Eq(""));
  EXPECT_THAT(request.Join("none"), Eq(""));
}

TEST(DeclaredLengthTest, DependsOnStatusAndMethod) {
  Response response;
  response.body = StreamBody{nullptr, 7};
  EXPECT_EQ(DeclaredLength(response, false), 7u);
  response.head_content_length = 9;
  EXPECT_EQ(DeclaredLength(response, true), 9u);
  EXPECT_EQ(DeclaredLength(response, false), 7u);
  for (const int status : {204, 304}) {
    response.status = status;
    EXPECT_EQ(DeclaredLength(response, false), std::nullopt);
    EXPECT_EQ(DeclaredLength(response, true), std::nullopt);
  }
}

}  // namespace
}  // namespace entrepot::gateway::http
