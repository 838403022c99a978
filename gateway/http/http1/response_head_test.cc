#include "gateway/http/http1/response_head.h"

#include "gtest/gtest.h"

namespace entrepot::gateway::http {
namespace {

std::string Head(const Response& response, bool is_head = false, bool close = false) {
  std::string out;
  AppendHead(response, {"DATE", "id", DeclaredLength(response, is_head), close}, &out);
  return out;
}

TEST(ResponseHeadTest, WritesTheFieldsOfTheResponseAndOfTheServer) {
  Response response;
  response.status = 201;
  response.fields = {{"Location", "/v2/a"}, {"Warning", "299 - \"x\""}};
  response.fixed_fields = "\r\nA: b\r\nC: d";
  response.body = std::string("abc");
  EXPECT_EQ(Head(response),
            "HTTP/1.1 201 Created\r\nDate: DATE\r\nLocation: /v2/a\r\nWarning: 299 - \"x\"\r\nA: b\r\nC: "
            "d\r\nX-Request-Id: id\r\n"
            "Content-Length: 3\r\n\r\n");
}

TEST(ResponseHeadTest, AnnouncesThatTheConnectionCloses) {
  EXPECT_EQ(Head(Response(), false, true),
            "HTTP/1.1 200 OK\r\nDate: DATE\r\nX-Request-Id: id\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST(ResponseHeadTest, KeepsTheSpaceAfterAStatusWithoutAPhrase) {
  Response response;
  response.status = 299;
  EXPECT_EQ(Head(response).substr(0, 15), "HTTP/1.1 299 \r\n");
}

TEST(ResponseHeadDeathTest, AControlByteAborts) {
  Response response;
  response.fields = {{"Location", "/a\r\nSet-Cookie: b"}};
  EXPECT_DEATH(Head(response), "control byte");
}

}  // namespace
}  // namespace entrepot::gateway::http
