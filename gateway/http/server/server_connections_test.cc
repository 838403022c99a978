// Tests the limits on the number of connections, and how connections spread over the threads.
#include <memory>
#include <string>
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

Server::Options WithLimits(uint32_t connections_max, uint32_t per_address_max) {
  Server::Options options = TestServer::DefaultOptions();
  options.limits.set_connections_max(connections_max);
  options.limits.set_connections_per_address_max(per_address_max);
  return options;
}

double Shed(const TestServer& server, const std::string& action) {
  return server.Metric("entrepot_http_connections_shed_total", {{"action", action}});
}

TEST(ConnectionsMaxTest, FurtherConnectionsWaitWhileEachOpenOneHasARequest) {
  TestServer server(WithLimits(2, 2));
  RawClient first(server.port());
  RawClient second(server.port());
  for (RawClient* client : {&first, &second}) ASSERT_TRUE(client->Send(kWait));
  ASSERT_TRUE(Eventually([&] { return server.handler().waiting() == 2; }));
  // Of another address, so that it has not used up its share.
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

TEST(ConnectionsMaxTest, RefusesAnAddressThatUsedUpItsShare) {
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

}  // namespace
}  // namespace entrepot::gateway::http
