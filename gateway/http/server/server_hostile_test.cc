// Tests clients that break HTTP's grammar or exceed the server's limits, on real sockets.
#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/http/testing/raw_client.h"
#include "gateway/http/testing/test_server.h"
#include "gtest/gtest.h"

namespace entrepot::gateway::http {
namespace {

using testing::Milliseconds;
using testing::RawClient;
using testing::RawResponse;
using testing::TestServer;

std::string Put(absl::string_view fields, absl::string_view body = "") {
  return absl::StrCat("PUT /echo HTTP/1.1\r\nHost: r\r\n", fields, "\r\n", body);
}

struct Row {
  const char* name;
  std::string bytes;
  int status;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class HostileTest : public ::testing::TestWithParam<Row> {};

// The request is refused, the connection closed in order, and the bytes that follow are not taken for a request.
TEST_P(HostileTest, IsRefusedAndTheConnectionClosed) {
  TestServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.Send(GetParam().bytes + "GET /smuggled HTTP/1.1\r\nHost: r\r\n\r\n"));
  const RawResponse response = client.Receive().value_or(RawResponse());
  EXPECT_EQ(response.status, GetParam().status) << response.body;
  EXPECT_EQ(response.Field("connection"), "close");
  EXPECT_EQ(response.Field("x-request-id").size(), 16u);
  EXPECT_TRUE(client.ReceiveEnd());
  EXPECT_EQ(server.Metric("entrepot_http_refused_total", {{"code", absl::StrCat(GetParam().status)}}), 1);
  EXPECT_EQ(server.handler().handled(), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, HostileTest,
    ::testing::Values(
        Row{"LengthAndChunked", Put("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
        Row{"LengthTwice", Put("Content-Length: 0\r\nContent-Length: 0\r\n"), 400},
        Row{"BareLf", "GET / HTTP/1.1\nHost: r\n\n", 400}, Row{"BareCr", "GET / HTTP/1.1\rHost: r\r\r", 400},
        Row{"Fold", Put("A: b\r\n c\r\n"), 400}, Row{"SpaceBeforeColon", Put("A : b\r\n"), 400},
        Row{"Nul", Put(std::string("A: \0\r\n", 6)), 400}, Row{"NoHost", "GET / HTTP/1.1\r\n\r\n", 400},
        Row{"TwoHosts", Put("Host: r\r\n"), 400}, Row{"BadHost", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
        Row{"UnknownEncoding", Put("Transfer-Encoding: gzip\r\n"), 400},
        Row{"GzipChunked", Put("Transfer-Encoding: gzip, chunked\r\n"), 501},
        Row{"Expect", Put("Expect: 200\r\n"), 417}, Row{"Http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        Row{"TlsHello", "\x16\x03\x01\x02", 400},
        Row{"LongTarget", absl::StrCat("GET /", std::string(100'000, 'a'), " HTTP/1.1\r\nHost: r\r\n\r\n"), 414},
        Row{"LongHeader", Put(absl::StrCat("A: ", std::string(100'000, 'a'), "\r\n")), 431},
        Row{"ManyFields", Put([] {
              std::string fields;
              for (int i = 0; i < 5000; ++i) absl::StrAppend(&fields, "a", i, ": b\r\n");
              return fields;
            }()),
            431}),
    [](const ::testing::TestParamInfo<Row>& info) { return info.param.name; });

TEST(HostileConnectTest, RefusesMethodsWithoutAPathWith405AndAllow) {
  TestServer server;
  for (const char* line : {"CONNECT r:443 HTTP/1.1\r\n", "OPTIONS * HTTP/1.1\r\n"}) {
    RawClient client(server.port());
    ASSERT_TRUE(client.Send(absl::StrCat(line, "Host: r\r\n\r\n")));
    const RawResponse response = client.Receive().value_or(RawResponse());
    EXPECT_EQ(response.status, 405);
    EXPECT_EQ(response.Field("allow"), "GET, HEAD, PUT, POST, PATCH, DELETE");
    EXPECT_TRUE(client.ReceiveEnd());
  }
}

TEST(HostileHeadTest, RefusesHeadWithoutABody) {
  TestServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.Send("HEAD / HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(client.Receive(/*is_head=*/true).value_or(RawResponse()).status, 400);
  EXPECT_TRUE(client.ReceiveEnd());
}

TEST(HostileBodyTest, ReportsAMalformedChunkedBodyAndCloses) {
  TestServer server;
  for (const char* body : {"xyz\r\n", "5\r\nhello0\r\n\r\n", "ffffffffffffffff\r\nabc", "5\nhello\r\n", "-1\r\n"}) {
    RawClient client(server.port());
    ASSERT_TRUE(client.Send(absl::StrCat("PUT /fail HTTP/1.1\r\nHost: r\r\nTransfer-Encoding: chunked\r\n\r\n", body,
                                         "GET /smuggled HTTP/1.1\r\nHost: r\r\n\r\n")));
    const RawResponse response = client.Receive().value_or(RawResponse());
    EXPECT_EQ(response.body, "INVALID_ARGUMENT") << body;
    EXPECT_EQ(response.Field("connection"), "close");
    EXPECT_TRUE(client.ReceiveEnd());
  }
  EXPECT_EQ(server.handler().handled(), 5);
}

class SlowTest : public ::testing::Test {
 protected:
  static Server::Options Options() {
    Server::Options options = TestServer::DefaultOptions();
    options.limits.mutable_header_timeout()->CopyFrom(Milliseconds(60));
    options.limits.mutable_idle_timeout()->CopyFrom(Milliseconds(60));
    options.limits.mutable_minimum_rate_window()->CopyFrom(Milliseconds(60));
    options.limits.mutable_silence_timeout()->CopyFrom(Milliseconds(60));
    options.limits.set_minimum_rate_bytes_per_second(100'000);
    return options;
  }

  // Sends the bytes again and again until the server sends something. False after ten seconds.
  bool SendUntilInput(absl::string_view bytes) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!client_.WaitForInput(5)) {
      if (std::chrono::steady_clock::now() > deadline || !client_.Send(bytes)) return false;
    }
    return true;
  }

  TestServer server_{Options()};
  RawClient client_{server_.port()};
};

TEST_F(SlowTest, RefusesASlowHeaderWith408) {
  ASSERT_TRUE(client_.Send("GET / HTTP/1.1\r\nHost: r\r\n"));
  // Sending a byte from time to time does not help.
  ASSERT_TRUE(SendUntilInput("a"));
  EXPECT_EQ(client_.Receive().value_or(RawResponse()).status, 408);
  EXPECT_TRUE(client_.ReceiveEnd());
}

TEST_F(SlowTest, ClosesAnIdleConnectionWithoutAResponse) {
  ASSERT_TRUE(client_.Send("GET /describe HTTP/1.1\r\nHost: r\r\n\r\n"));
  EXPECT_EQ(client_.Receive().value_or(RawResponse()).status, 200);
  EXPECT_TRUE(client_.ReceiveEnd());
}

TEST_F(SlowTest, ClosesASilentConnectionWithoutAResponse) { EXPECT_TRUE(client_.ReceiveEnd()); }

TEST_F(SlowTest, FailsABodyBelowTheMinimumRate) {
  ASSERT_TRUE(client_.Send("PUT /fail HTTP/1.1\r\nHost: r\r\nContent-Length: 1000000\r\n\r\n"));
  ASSERT_TRUE(SendUntilInput("a"));
  EXPECT_EQ(client_.Receive().value_or(RawResponse()).body, "DEADLINE_EXCEEDED");
}

TEST_F(SlowTest, FailsAChunkedBodyBelowTheMinimumRate) {
  ASSERT_TRUE(client_.Send("PUT /fail HTTP/1.1\r\nHost: r\r\nTransfer-Encoding: chunked\r\n\r\n"));
  ASSERT_TRUE(SendUntilInput("1\r\na\r\n"));
  EXPECT_EQ(client_.Receive().value_or(RawResponse()).body, "DEADLINE_EXCEEDED");
}

TEST_F(SlowTest, CutsOffAClientThatReadsNothing) {
  for (const char* target : {"/file?0-5000003", "/stream?50000000"}) {
    RawClient client(server_.port(), /*receive_bytes=*/4096);
    ASSERT_TRUE(client.Send(absl::StrCat("GET ", target, " HTTP/1.1\r\nHost: r\r\n\r\n")));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    const std::map<std::string, std::string> labels = {{"route", "test"}};
    const double before = server_.Metric("entrepot_http_requests_total", labels);
    while (server_.Metric("entrepot_http_requests_total", labels) == before) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      client.WaitForInput(0);
    }
    const RawResponse response = client.Receive().value_or(RawResponse());
    EXPECT_LT(response.body.size(), 5'000'003u);
  }
}

TEST_F(SlowTest, FailsABodyThatStops) {
  ASSERT_TRUE(client_.Send("PUT /fail HTTP/1.1\r\nHost: r\r\nContent-Length: 1000000\r\n\r\nabc"));
  EXPECT_EQ(client_.Receive().value_or(RawResponse()).body, "DEADLINE_EXCEEDED");
}

// The silence is longer than the window of the rate, which has no part in it.
TEST(SilenceTest, IsForgivenInBothDirections) {
  Server::Options options = TestServer::DefaultOptions();
  options.limits.mutable_minimum_rate_window()->CopyFrom(Milliseconds(1));
  options.limits.mutable_silence_timeout()->CopyFrom(Milliseconds(30'000));
  TestServer server(options);
  RawClient sender(server.port());
  ASSERT_TRUE(sender.Send("PUT /echo HTTP/1.1\r\nHost: r\r\nContent-Length: 6\r\n\r\nabc"));
  RawClient reader(server.port(), /*receive_bytes=*/4096);
  ASSERT_TRUE(reader.Send("GET /file?0-5000003 HTTP/1.1\r\nHost: r\r\n\r\n"));
  EXPECT_FALSE(sender.WaitForInput(300));
  EXPECT_EQ(reader.Receive().value_or(RawResponse()).body.size(), 5'000'003u);
  ASSERT_TRUE(sender.Send("def"));
  EXPECT_EQ(sender.Receive().value_or(RawResponse()).body, "abcdef");
}

TEST_F(SlowTest, DoesNotLimitTheTimeOfAHandler) {
  ASSERT_TRUE(client_.Send("GET /wait HTTP/1.1\r\nHost: r\r\n\r\n"));
  EXPECT_FALSE(client_.WaitForInput(200));
  server_.handler().release();
  EXPECT_EQ(client_.Receive().value_or(RawResponse()).body, "waited");
}

}  // namespace
}  // namespace entrepot::gateway::http
