#include "gateway/http/response_head.h"

#include <set>

#include "gateway/http/http_date.h"
#include "gateway/http/request_id.h"
#include "gtest/gtest.h"

namespace entrepot::gateway::http {
namespace {

std::string Head(const Response& response, bool is_head = false, bool close = false) {
  std::string out;
  AppendHead(response, {"DATE", "id", DeclaredLength(response, is_head), close}, &out);
  return out;
}

TEST(ResponseHeadTest, WritesTheServersFieldsBesideTheResponses) {
  Response response;
  response.status = 201;
  response.fields = {{"Location", "/v2/a"}, {"Warning", "299 - \"x\""}};
  response.body = std::string("abc");
  EXPECT_EQ(Head(response),
            "HTTP/1.1 201 Created\r\nDate: DATE\r\nLocation: /v2/a\r\nWarning: 299 - \"x\"\r\nX-Request-Id: id\r\n"
            "Content-Length: 3\r\n\r\n");
}

TEST(ResponseHeadTest, SaysThatItCloses) {
  EXPECT_EQ(Head(Response(), false, true),
            "HTTP/1.1 200 OK\r\nDate: DATE\r\nX-Request-Id: id\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST(ResponseHeadTest, LengthsByStatusAndMethod) {
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

TEST(ResponseHeadTest, AStatusWithoutAPhraseKeepsItsSpace) {
  Response response;
  response.status = 299;
  EXPECT_EQ(Head(response).substr(0, 15), "HTTP/1.1 299 \r\n");
}

TEST(ResponseHeadDeathTest, AControlByteCrashes) {
  Response response;
  response.fields = {{"Location", "/a\r\nSet-Cookie: b"}};
  EXPECT_DEATH(Head(response), "control byte");
}

TEST(HttpDateTest, IsTheFixedFormat) {
  EXPECT_EQ(FormatHttpDate(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(FormatHttpDate(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  HttpDate date;
  EXPECT_EQ(date.Now().size(), 29u);
}

TEST(RequestIdTest, TakesOnlyShortPlainText) {
  EXPECT_TRUE(IsRequestId("a-B_c.9"));
  EXPECT_TRUE(IsRequestId(std::string(64, 'a')));
  EXPECT_FALSE(IsRequestId(std::string(65, 'a')));
  for (const char* bad : {"", "a b", "a\"", "a\n", "\xc3\xa4", "a/b"}) EXPECT_FALSE(IsRequestId(bad)) << bad;
}

TEST(RequestIdTest, MadeOnesDiffer) {
  RequestIdSource source;
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = source.Next();
    EXPECT_EQ(id.size(), 16u);
    EXPECT_TRUE(IsRequestId(id));
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 1000u);
}

}  // namespace
}  // namespace entrepot::gateway::http
