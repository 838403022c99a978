// Tests what a drain does with idle and new connections and with requests under way.
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "gateway/http/testing/raw_client.h"
#include "gateway/http/testing/test_server.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"

namespace entrepot::gateway::http {
namespace {

using testing::RawClient;
using testing::RawResponse;
using testing::TestServer;

constexpr absl::string_view kGet = "GET /describe HTTP/1.1\r\nHost: r\r\n\r\n";
constexpr absl::string_view kWait = "GET /wait HTTP/1.1\r\nHost: r\r\n\r\n";

TEST(DrainTest, ClosesIdleConnectionsAndAcceptsNone) {
  TestServer server;
  RawClient idle(server.port());
  ASSERT_TRUE(idle.Send(kGet));
  ASSERT_EQ(idle.Receive().value_or(RawResponse()).status, 200);
  server.server().Drain(Deadline::After(absl::Seconds(10)));
  EXPECT_TRUE(idle.ReceiveEnd());
  RawClient late(server.port());
  EXPECT_FALSE(late.Send(kGet) && late.Receive().has_value());
}

TEST(DrainTest, FinishesRequestsUnderWay) {
  TestServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.Send(kWait));
  ASSERT_TRUE(Eventually([&] { return server.handler().waiting() == 1; }));
  std::thread drain([&] { server.server().Drain(Deadline::After(absl::Seconds(10))); });
  // The drain has begun when no more connections are accepted.
  EXPECT_TRUE(Eventually([&] {
    RawClient probe(server.port());
    return !probe.Send(kGet);
  }));
  server.handler().release();
  const RawResponse response = client.Receive().value_or(RawResponse());
  EXPECT_EQ(response.body, "waited");
  EXPECT_EQ(response.Field("connection"), "close");
  EXPECT_TRUE(client.ReceiveEnd());
  drain.join();
}

TEST(DrainTest, TakesConnectionsAndEndsThemAfterAResponseOnceItIsAboutToDrain) {
  TestServer server;
  RawClient open(server.port());
  ASSERT_TRUE(open.Send(kGet));
  ASSERT_EQ(open.Receive().value_or(RawResponse()).Field("connection"), "(none)");
  server.server().CloseAfterResponses();
  // The threads of the server hear of it a moment later.
  EXPECT_TRUE(Eventually([&] {
    RawClient late(server.port());
    EXPECT_TRUE(late.Send(kGet));
    const RawResponse response = late.Receive().value_or(RawResponse());
    EXPECT_EQ(response.status, 200);
    return response.Field("connection") == "close" && late.ReceiveEnd();
  }));
  RawResponse last;
  EXPECT_TRUE(Eventually([&] {
    EXPECT_TRUE(open.Send(kGet));
    last = open.Receive().value_or(RawResponse());
    EXPECT_EQ(last.status, 200);
    return last.Field("connection") == "close";
  }));
  EXPECT_TRUE(open.ReceiveEnd());
}

TEST(DrainTest, CutsOffRequestsAtTheDeadline) {
  TestServer server;
  RawClient slow_handler(server.port());
  ASSERT_TRUE(slow_handler.Send(kWait));
  ASSERT_TRUE(Eventually([&] { return server.handler().waiting() == 1; }));
  RawClient slow_client(server.port());
  ASSERT_TRUE(slow_client.Send("PUT /echo HTTP/1.1\r\nHost: r\r\nContent-Length: 9\r\n\r\n"));
  ASSERT_TRUE(Eventually([&] { return server.handler().handled() == 2; }));
  server.server().Drain(Deadline::Passed());
  EXPECT_FALSE(slow_handler.Receive().has_value());
  EXPECT_FALSE(slow_client.Receive().has_value());
}

// A client's first request may be on the way when the drain begins.
TEST(DrainTest, ServesTheFirstRequestOfAConnectionThatWasJustAccepted) {
  TestServer server;
  RawClient idle(server.port());
  ASSERT_TRUE(idle.Send(kGet));
  ASSERT_EQ(idle.Receive().value_or(RawResponse()).status, 200);
  RawClient client(server.port());
  ASSERT_TRUE(Eventually([&] { return server.Metric("entrepot_http_connections") == 2; }));
  std::thread drain([&] { server.server().Drain(Deadline::After(absl::Seconds(10))); });
  EXPECT_TRUE(idle.ReceiveEnd());  // The drain has begun.
  ASSERT_TRUE(client.Send(kGet));
  const RawResponse response = client.Receive().value_or(RawResponse());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Field("connection"), "close");
  drain.join();
}

// Drains the server while clients use it, each on a thread of its own. A client calls `use` with one new connection
// after the other, until it returns false.
void DrainUnderLoad(TestServer& server, const std::atomic<int>& answered, const std::function<bool(RawClient&)>& use) {
  std::vector<std::thread> clients;
  clients.reserve(8);
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      bool more = true;
      while (more) {
        RawClient client(server.port());
        more = use(client);
      }
    });
  }
  EXPECT_TRUE(Eventually([&] { return answered > 100; }));
  server.server().Drain(Deadline::After(absl::Seconds(10)));
  for (std::thread& client : clients) client.join();
}

// A connection that a client has established is never reset: it is served, or the client cannot connect at all.
TEST(DrainTest, ResetsNoNewConnection) {
  for (int round = 0; round < 10; ++round) {
    TestServer server;
    std::atomic<int> answered{0};
    std::atomic<int> reset{0};
    DrainUnderLoad(server, answered, [&](RawClient& client) {
      if (!client.connected()) return false;
      ++(client.Send(kGet) && client.Receive().has_value() ? answered : reset);
      return true;
    });
    EXPECT_EQ(reset, 0);
  }
}

// In HTTP/1.1, a request may be lost if the server closes the connection at the same time; clients repeat it. But every
// response that the server begins is complete, and so is the response to every request on a new, accepted connection.
TEST(DrainTest, CompletesResponsesUnderLoad) {
  for (int round = 0; round < 5; ++round) {
    TestServer server;
    std::atomic<int> answered{0};
    std::atomic<int> broken{0};
    DrainUnderLoad(server, answered, [&](RawClient& client) {
      for (bool closed = false; !closed;) {
        if (!client.Send("GET /stream?100000 HTTP/1.1\r\nHost: r\r\n\r\n")) return false;
        const auto response = client.Receive();
        if (!response.has_value()) return false;  // No byte of a response arrived.
        if (response->status != 200 || response->body.size() != 100'000) ++broken;
        ++answered;
        closed = response->Field("connection") == "close";
      }
      return true;
    });
    EXPECT_EQ(broken, 0);
    EXPECT_EQ(server.handler().handled(), answered);
  }
}

}  // namespace
}  // namespace entrepot::gateway::http
