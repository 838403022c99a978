#include "gateway/http/server/server.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/http/testing/raw_client.h"
#include "gateway/http/testing/test_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::gateway::http {
namespace {

using testing::Digits;
using ::testing::HasSubstr;
using testing::RawClient;
using testing::RawResponse;
using testing::TestServer;

std::string Get(absl::string_view target, absl::string_view fields = "") {
  return absl::StrCat("GET ", target, " HTTP/1.1\r\nHost: r\r\n", fields, "\r\n");
}

std::string Post(absl::string_view target, absl::string_view body) {
  return absl::StrCat("POST ", target, " HTTP/1.1\r\nHost: r\r\nContent-Length: ", body.size(), "\r\n\r\n", body);
}

std::string Chunk(absl::string_view data) { return absl::StrCat(absl::Hex(data.size()), "\r\n", data, "\r\n"); }

constexpr absl::string_view kChunkedPost = "POST /echo HTTP/1.1\r\nHost: r\r\nTransfer-Encoding: chunked\r\n\r\n";

class ServerTest : public ::testing::Test {
 protected:
  // The response to the bytes, on a connection of its own.
  RawResponse Ask(absl::string_view bytes) {
    RawClient client(server_.port());
    EXPECT_TRUE(client.Send(bytes));
    return client.Receive().value_or(RawResponse());
  }

  TestServer server_;
};

TEST_F(ServerTest, PassesTheRequestToTheHandler) {
  const RawResponse response = Ask(Get("http://real:80/describe?a=b", "X-Request-Id: my-id.1\r\nAccept:  a/b \r\n"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body,
            "method=GET\npath=/describe\nquery=a=b\nremote=127.0.0.1\ntls=no\nid=my-id.1\n"
            "Host=real:80\nX-Request-Id=my-id.1\nAccept=a/b\n");
  EXPECT_EQ(response.Field("x-request-id"), "my-id.1");
}

TEST_F(ServerTest, AddsItsOwnFields) {
  const RawResponse response = Ask(Get("/none", "X-Request-Id: not plain\r\n"));
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.Field("x-request-id").size(), 16u);
  EXPECT_EQ(response.Field("date").size(), 29u);
  EXPECT_EQ(response.Field("content-length"), "0");
  EXPECT_EQ(response.Field("connection"), "(none)");
}

TEST_F(ServerTest, KeepsTheConnection) {
  RawClient client(server_.port());
  for (int i = 0; i < 100; ++i) {
    const std::string body(static_cast<size_t>(i) * 100, 'x');
    ASSERT_TRUE(client.Send(Post("/echo", body)));
    const auto response = client.Receive();
    ASSERT_TRUE(response.has_value());
    EXPECT_EQ(response->body, body);
  }
  EXPECT_EQ(server_.Metric("entrepot_http_connections"), 1);
}

TEST_F(ServerTest, RespondsToPipelinedRequestsInOrder) {
  RawClient client(server_.port());
  std::string requests;
  for (int i = 0; i < 50; ++i) {
    absl::StrAppend(&requests, Post("/echo", absl::StrCat("body ", i)), kChunkedPost, Chunk("chunk "),
                    Chunk(absl::StrCat(i)), "0\r\n\r\n");
  }
  ASSERT_TRUE(client.Send(requests));
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(client.Receive().value_or(RawResponse()).body, absl::StrCat("body ", i));
    EXPECT_EQ(client.Receive().value_or(RawResponse()).body, absl::StrCat("chunk ", i));
  }
}

TEST_F(ServerTest, AcceptsARequestByteByByte) {
  RawClient client(server_.port());
  const std::string request = absl::StrCat(kChunkedPost, Chunk("ab"), "1;x=y\r\nc\r\n0\r\nTrailer: t\r\n\r\n");
  for (const char byte : request) ASSERT_TRUE(client.Send(absl::string_view(&byte, 1)));
  EXPECT_EQ(client.Receive().value_or(RawResponse()).body, "abc");
  ASSERT_TRUE(client.Send(Get("/describe")));
  EXPECT_EQ(client.Receive().value_or(RawResponse()).status, 200);
}

TEST_F(ServerTest, EchoesLargeBodies) {
  const std::string& contents = server_.handler().file_contents();
  EXPECT_TRUE(Ask(Post("/echo", contents)).body == contents);
  std::string chunked(kChunkedPost);
  for (size_t offset = 0; offset < contents.size(); offset += 33'333) {
    chunked += Chunk(contents.substr(offset, 33'333));
  }
  EXPECT_TRUE(Ask(chunked + "0\r\n\r\n").body == contents);
}

TEST_F(ServerTest, ClosesOnRequestOfTheClient) {
  RawClient client(server_.port());
  ASSERT_TRUE(client.Send(Get("/describe", "Connection: close\r\n")));
  EXPECT_EQ(client.Receive().value_or(RawResponse()).Field("connection"), "close");
  EXPECT_TRUE(client.ReceiveEnd());
}

TEST_F(ServerTest, ServesHttp10WithoutKeepingTheConnection) {
  RawClient client(server_.port());
  ASSERT_TRUE(client.Send("GET /stream?30 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  const RawResponse response = client.Receive().value_or(RawResponse());
  EXPECT_EQ(response.Field("connection"), "close");
  EXPECT_EQ(response.Field("transfer-encoding"), "(none)");
  EXPECT_EQ(response.body, Digits(30));
  EXPECT_TRUE(client.ReceiveEnd());
}

TEST_F(ServerTest, HeadHasALengthAndNoBody) {
  RawClient client(server_.port());
  ASSERT_TRUE(client.Send("HEAD /file?0-10 HTTP/1.1\r\nHost: r\r\n\r\n" + Get("/stream?3")));
  const RawResponse head = client.Receive(/*is_head=*/true).value_or(RawResponse());
  EXPECT_EQ(head.Field("content-length"), "42");
  EXPECT_EQ(client.Receive().value_or(RawResponse()).body, "012");
}

TEST_F(ServerTest, NoContentHasNoLength) {
  RawClient client(server_.port());
  ASSERT_TRUE(client.Send(Get("/empty") + Get("/stream?3")));
  const RawResponse empty = client.Receive().value_or(RawResponse());
  EXPECT_EQ(empty.status, 204);
  EXPECT_EQ(empty.Field("content-length"), "(none)");
  EXPECT_EQ(client.Receive().value_or(RawResponse()).body, "012");
}

TEST_F(ServerTest, SendsFilesAndTheirRanges) {
  const std::string& contents = server_.handler().file_contents();
  RawClient client(server_.port());
  for (const auto& [begin, end] : std::vector<std::pair<size_t, size_t>>{{0, contents.size()},
                                                                         {0, 0},
                                                                         {0, 1},
                                                                         {4095, 4097},
                                                                         {1'048'575, 3'145'729},
                                                                         {contents.size() - 1, contents.size()}}) {
    ASSERT_TRUE(client.Send(Get(absl::StrCat("/file?", begin, "-", end))));
    EXPECT_TRUE(client.Receive().value_or(RawResponse()).body == contents.substr(begin, end - begin)) << begin;
  }
}

TEST_F(ServerTest, SendsFilesThatAreNotInThePageCache) {
  const std::string& contents = server_.handler().file_contents();
  RawClient client(server_.port());
  for (const size_t begin : {0, 1'000'000}) {
    ASSERT_TRUE(client.Send(Get(absl::StrCat("/cold-file?", begin, "-", contents.size()))));
    EXPECT_TRUE(client.Receive().value_or(RawResponse()).body == contents.substr(begin)) << begin;
  }
}

TEST_F(ServerTest, SendsAFileToASlowClient) {
  const std::string& contents = server_.handler().file_contents();
  RawClient client(server_.port(), /*receive_bytes=*/4096);
  ASSERT_TRUE(client.Send(Get(absl::StrCat("/file?0-", contents.size()))));
  EXPECT_TRUE(client.Receive().value_or(RawResponse()).body == contents);
}

TEST_F(ServerTest, CutsAResponseWithAFileThatIsTooShort) {
  RawClient client(server_.port());
  ASSERT_TRUE(client.Send(Get("/missing-bytes")));
  const RawResponse response = client.Receive().value_or(RawResponse());
  EXPECT_EQ(response.Field("content-length"), absl::StrCat(server_.handler().file_contents().size() + 1));
  EXPECT_TRUE(response.body == server_.handler().file_contents());
  EXPECT_TRUE(client.ReceiveEnd());
}

TEST_F(ServerTest, StreamsExactLengths) {
  RawClient client(server_.port());
  for (const size_t size : {0, 1, 262'143, 262'144, 262'145, 3'000'000}) {
    ASSERT_TRUE(client.Send(Get(absl::StrCat("/stream?", size))));
    EXPECT_TRUE(client.Receive().value_or(RawResponse()).body == Digits(size)) << size;
  }
}

TEST_F(ServerTest, CutsAResponseWithAStreamThatFails) {
  RawClient client(server_.port());
  ASSERT_TRUE(client.Send(Get("/broken")));
  const RawResponse response = client.Receive().value_or(RawResponse());
  EXPECT_EQ(response.Field("content-length"), "20");
  EXPECT_EQ(response.body, "0123456789");
}

TEST_F(ServerTest, RespondsWith500IfTheHandlerThrows) {
  RawClient client(server_.port());
  ASSERT_TRUE(client.Send(Get("/throw")));
  EXPECT_EQ(client.Receive().value_or(RawResponse()).status, 500);
  EXPECT_TRUE(client.ReceiveEnd());
  EXPECT_EQ(Ask(Get("/describe")).status, 200);
}

TEST_F(ServerTest, SendsContinueWhenTheBodyIsRead) {
  RawClient client(server_.port());
  ASSERT_TRUE(client.Send("PUT /echo HTTP/1.1\r\nHost: r\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"));
  const RawResponse interim = client.Receive().value_or(RawResponse());
  EXPECT_EQ(interim.status, 100);
  EXPECT_TRUE(interim.fields.empty());
  ASSERT_TRUE(client.Send("hello"));
  const RawResponse response = client.Receive().value_or(RawResponse());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "hello");
  ASSERT_TRUE(client.Send(Get("/describe")));
  EXPECT_EQ(client.Receive().value_or(RawResponse()).status, 200);
}

TEST_F(ServerTest, RefusesBeforeContinue) {
  RawClient client(server_.port());
  ASSERT_TRUE(client.Send("PUT /refuse HTTP/1.1\r\nHost: r\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"));
  const RawResponse response = client.Receive().value_or(RawResponse());
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(response.Field("connection"), "close");
  EXPECT_TRUE(client.ReceiveEnd());
}

TEST_F(ServerTest, ReadsABodyThatArrivesWithoutContinue) {
  RawClient client(server_.port());
  ASSERT_TRUE(client.Send("PUT /echo HTTP/1.1\r\nHost: r\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello"));
  EXPECT_EQ(client.Receive().value_or(RawResponse()).status, 200);
}

TEST_F(ServerTest, DropsASmallUnreadBody) {
  RawClient client(server_.port());
  ASSERT_TRUE(client.Send(Post("/refuse", std::string(200'000, 'x')) + Get("/describe")));
  EXPECT_EQ(client.Receive().value_or(RawResponse()).status, 401);
  EXPECT_EQ(client.Receive().value_or(RawResponse()).status, 200);
}

// Many clients send everything before they read. They must see the response, not a broken connection.
TEST_F(ServerTest, ClosesAfterTheResponseToALargeUnreadBody) {
  RawClient client(server_.port());
  std::string body;
  body.resize(20'000'000, 'x');
  ASSERT_TRUE(client.Send(Post("/refuse", body)));
  const RawResponse response = client.Receive().value_or(RawResponse());
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(response.Field("connection"), "close");
  EXPECT_TRUE(client.ReceiveEnd());
}

TEST_F(ServerTest, ClosesAfterAnUnreadChunkedBody) {
  RawClient client(server_.port());
  ASSERT_TRUE(client.Send("PUT /refuse HTTP/1.1\r\nHost: r\r\nTransfer-Encoding: chunked\r\n\r\n" + Chunk("abc")));
  EXPECT_EQ(client.Receive().value_or(RawResponse()).Field("connection"), "close");
  EXPECT_TRUE(client.ReceiveEnd());
}

TEST_F(ServerTest, KeepsTheConnectionAfterACompleteUnreadChunkedBody) {
  RawClient client(server_.port());
  ASSERT_TRUE(client.Send("PUT /refuse HTTP/1.1\r\nHost: r\r\nTransfer-Encoding: chunked\r\n\r\n" + Chunk("abc") +
                          "0\r\n\r\n" + Get("/describe")));
  EXPECT_EQ(client.Receive().value_or(RawResponse()).status, 401);
  EXPECT_EQ(client.Receive().value_or(RawResponse()).status, 200);
}

TEST_F(ServerTest, ReportsAClientThatDisconnects) {
  RawClient client(server_.port());
  ASSERT_TRUE(client.Send("PUT /fail HTTP/1.1\r\nHost: r\r\nContent-Length: 10\r\n\r\nabc"));
  client.EndSending();
  EXPECT_EQ(client.Receive().value_or(RawResponse()).body, "UNAVAILABLE");
  EXPECT_TRUE(client.ReceiveEnd());
}

TEST_F(ServerTest, SurvivesClientsThatReset) {
  for (int i = 0; i < 20; ++i) {
    RawClient client(server_.port());
    ASSERT_TRUE(client.Send(i % 2 == 0 ? Get("/file?0-5000000") : std::string(kChunkedPost)));
    ASSERT_TRUE(i % 2 == 1 || client.WaitForInput(10'000));
    client.Abort();
  }
  EXPECT_EQ(Ask(Get("/describe")).status, 200);
}

TEST_F(ServerTest, CountsRequests) {
  RawClient client(server_.port());
  ASSERT_TRUE(client.Send(Post("/echo", "12345") + "FROB /echo HTTP/1.1\r\nHost: r\r\n\r\n" + Get("/file?0-1000")));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(client.Receive().has_value());
  ASSERT_TRUE(client.Send("nonsense\r\n"));
  ASSERT_EQ(client.Receive().value_or(RawResponse()).status, 400);
  // The refusal was counted before it was sent, the other requests before the next one was read.
  EXPECT_EQ(server_.Metric("entrepot_http_requests_total", {{"route", "test"}, {"method", "POST"}, {"code", "200"}}),
            1);
  EXPECT_EQ(server_.Metric("entrepot_http_requests_total", {{"method", "other"}}), 1);
  EXPECT_EQ(server_.Metric("entrepot_http_request_duration_seconds", {{"route", "test"}}), 3);
  EXPECT_EQ(server_.Metric("entrepot_http_time_to_first_byte_seconds", {{"route", "test"}}), 3);
  EXPECT_EQ(server_.Metric("entrepot_http_request_bytes_total", {{"route", "test"}}), 5);
  EXPECT_EQ(server_.Metric("entrepot_http_response_bytes_total", {{"route", "test"}}), 1005);
  EXPECT_EQ(server_.Metric("entrepot_http_refused_total", {{"code", "400"}}), 1);
  EXPECT_EQ(server_.Metric("entrepot_http_requests_in_flight"), 0);
}

TEST_F(ServerTest, DoesNotStartOnAnAddressInUse) {
  Server::Options options = TestServer::DefaultOptions();
  options.endpoint.set_port(server_.port());
  const auto second = Server::Start(options, &server_.handler(), std::make_shared<prometheus::Registry>());
  EXPECT_TRUE(absl::IsUnavailable(second.status()));
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(absl::StrCat("127.0.0.1 port ", server_.port())));
}

TEST_F(ServerTest, KnowsItsAddress) {
  EXPECT_EQ(server_.server().Address(), absl::StrCat("http://127.0.0.1:", server_.port()));
  Server::Options options = TestServer::DefaultOptions();
  options.endpoint.set_address("::1");
  const auto other = Server::Start(options, &server_.handler(), std::make_shared<prometheus::Registry>());
  if (!other.ok()) GTEST_SKIP() << "no IPv6 here: " << other.status();
  EXPECT_EQ((*other)->Address(), absl::StrCat("http://[::1]:", (*other)->port()));
}

}  // namespace
}  // namespace entrepot::gateway::http
