// Tests how connections begin and end: the limits on their number, and draining.
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/http/testing/raw_client.h"
#include "gateway/http/testing/test_server.h"
#include "gtest/gtest.h"

namespace entrepot::gateway::http {
namespace {

using testing::RawClient;
using testing::RawResponse;
using testing::TestServer;

constexpr absl::string_view kGet = "GET /describe HTTP/1.1\r\nHost: r\r\n\r\n";
constexpr absl::string_view kWait = "GET /wait HTTP/1.1\r\nHost: r\r\n\r\n";

template <typename Condition>
bool Eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

Server::Options WithLimits(uint32_t connections_max, uint32_t per_address_max) {
  Server::Options options = TestServer::DefaultOptions();
  options.limits.set_connections_max(connections_max);
  options.limits.set_connections_per_address_max(per_address_max);
  return options;
}

double Shed(const TestServer& server, const std::string& action) {
  return server.Metric("entrepot_http_connections_shed_total", {{"action", action}});
}

TEST(ConnectionsMaxTest, FurtherConnectionsWaitWhileAllHaveARequest) {
  TestServer server(WithLimits(2, 2));
  RawClient first(server.port());
  RawClient second(server.port());
  for (RawClient* client : {&first, &second}) ASSERT_TRUE(client->Send(kWait));
  ASSERT_TRUE(Eventually([&] { return server.handler().waiting() == 2; }));
  // Of another address, so that it has not its share.
  RawClient third(server.port(), /*receive_bytes=*/0, "127.0.0.2");
  ASSERT_TRUE(third.Send(kGet));
  EXPECT_FALSE(third.WaitForInput(50));
  EXPECT_EQ(server.Metric("entrepot_http_connections"), 2);
  server.handler().release();
  EXPECT_EQ(third.Receive().value_or(RawResponse()).status, 200);
  EXPECT_EQ(first.Receive().value_or(RawResponse()).body, "waited");
  EXPECT_EQ(second.Receive().value_or(RawResponse()).body, "waited");
}

TEST(ConnectionsMaxTest, ClosesTheLongestIdleConnectionForANewOne) {
  TestServer server(WithLimits(2, 2));
  RawClient first(server.port());
  RawClient second(server.port());
  for (RawClient* client : {&first, &second}) {
    ASSERT_TRUE(client->Send(kGet));
    ASSERT_EQ(client->Receive().value_or(RawResponse()).status, 200);
  }
  RawClient third(server.port());
  ASSERT_TRUE(third.Send(kGet));
  EXPECT_EQ(third.Receive().value_or(RawResponse()).status, 200);
  EXPECT_TRUE(first.ReceiveEnd());
  ASSERT_TRUE(second.Send(kGet));
  EXPECT_EQ(second.Receive().value_or(RawResponse()).status, 200);
  EXPECT_EQ(Shed(server, "closed_idle"), 1);
  EXPECT_EQ(server.Metric("entrepot_http_connections_max"), 2);
}

TEST(ConnectionsMaxTest, ServesNewConnectionsWhileManySilentOnesAreHeld) {
  TestServer server(WithLimits(64, 16));
  std::vector<std::unique_ptr<RawClient>> silent;
  for (int i = 0; i < 200; ++i) {
    silent.push_back(std::make_unique<RawClient>(server.port()));
    // Some hang in the middle of a head.
    if (i % 2 == 0) silent.back()->Send("GET /desc");
  }
  for (const char* address : {"127.0.0.1", "127.0.0.2"}) {
    RawClient client(server.port(), /*receive_bytes=*/0, address);
    ASSERT_TRUE(client.Send(kGet));
    EXPECT_EQ(client.Receive().value_or(RawResponse()).status, 200);
  }
  EXPECT_GE(Shed(server, "closed_idle"), 200 - 64);
  EXPECT_EQ(Shed(server, "refused"), 0);
}

TEST(ConnectionsMaxTest, RefusesAnAddressWithItsShareIfOthersNeedTheRest) {
  TestServer server(WithLimits(16, 4));
  std::vector<std::unique_ptr<RawClient>> busy;
  for (int i = 0; i < 14; ++i) {
    busy.push_back(std::make_unique<RawClient>(server.port()));
    ASSERT_TRUE(busy.back()->Send(kWait));
  }
  ASSERT_TRUE(Eventually([&] { return server.handler().waiting() == 14; }));
  RawClient more(server.port());
  const RawResponse refusal = more.Receive().value_or(RawResponse());
  EXPECT_EQ(refusal.status, 503);
  EXPECT_NE(refusal.body.find("limits.connections_per_address_max"), std::string::npos);
  EXPECT_EQ(Shed(server, "refused"), 1);
  RawClient other(server.port(), /*receive_bytes=*/0, "127.0.0.2");
  ASSERT_TRUE(other.Send(kGet));
  EXPECT_EQ(other.Receive().value_or(RawResponse()).status, 200);
  server.handler().release();
  for (const auto& client : busy) EXPECT_EQ(client->Receive().value_or(RawResponse()).body, "waited");
}

TEST(PlacementTest, ConnectionsSpreadOverTheThreads) {
  TestServer server;
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 32; ++i) {
    clients.push_back(std::make_unique<RawClient>(server.port()));
    ASSERT_TRUE(clients.back()->Send(kWait));
  }
  EXPECT_TRUE(Eventually([&] { return server.handler().waiting() == 32; }));
  EXPECT_EQ(server.Metric("entrepot_http_requests_in_flight"), 32);
  server.handler().release();
  for (const auto& client : clients) EXPECT_EQ(client->Receive().value_or(RawResponse()).body, "waited");
}

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

// A connection that a client has established is never reset: it is served, or the client cannot connect at all.
TEST(DrainTest, ResetsNoNewConnection) {
  for (int round = 0; round < 10; ++round) {
    TestServer server;
    std::atomic<int> answered{0};
    std::atomic<int> reset{0};
    std::vector<std::thread> clients;
    clients.reserve(8);
    for (int i = 0; i < 8; ++i) {
      clients.emplace_back([&] {
        while (true) {
          RawClient client(server.port());
          if (!client.connected()) return;
          if (client.Send(kGet) && client.Receive().has_value()) {
            ++answered;
          } else {
            ++reset;
          }
        }
      });
    }
    EXPECT_TRUE(Eventually([&] { return answered > 100; }));
    server.server().Drain(Deadline::After(absl::Seconds(10)));
    for (std::thread& client : clients) client.join();
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
    std::vector<std::thread> clients;
    clients.reserve(8);
    for (int i = 0; i < 8; ++i) {
      clients.emplace_back([&] {
        while (true) {
          RawClient client(server.port());
          bool closed = false;
          for (int requests = 0; !closed; ++requests) {
            if (!client.Send("GET /stream?100000 HTTP/1.1\r\nHost: r\r\n\r\n")) return;
            const auto response = client.Receive();
            if (!response.has_value()) return;  // No byte of a response arrived.
            if (response->status != 200 || response->body.size() != 100'000) ++broken;
            ++answered;
            closed = response->Field("connection") == "close";
          }
        }
      });
    }
    EXPECT_TRUE(Eventually([&] { return answered > 100; }));
    const int handled_before = server.handler().handled();
    server.server().Drain(Deadline::After(absl::Seconds(10)));
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(broken, 0);
    EXPECT_EQ(server.handler().handled(), answered);
    EXPECT_GE(answered, handled_before - 8);
  }
}

}  // namespace
}  // namespace entrepot::gateway::http
