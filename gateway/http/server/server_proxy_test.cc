// What the server believes of reverse proxies, over connections: TestServer is reached from 127.0.0.1.
#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/http/testing/raw_client.h"
#include "gateway/http/testing/test_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/runtime/log/limited_log.h"

namespace entrepot::gateway::http {
namespace {

using ::testing::HasSubstr;
using testing::Milliseconds;
using ::testing::Not;
using testing::RawClient;
using testing::RawResponse;
using testing::TestServer;

constexpr absl::string_view kReported =
    "X-Forwarded-For: 198.51.100.1, 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: r.example\r\n";

std::string Describe(absl::string_view fields = "") {
  return absl::StrCat("GET /describe HTTP/1.1\r\nHost: inside\r\n", fields, "\r\n");
}

Server::Options Trusting(const std::string& network) {
  Server::Options options = TestServer::DefaultOptions();
  options.endpoint.add_trusted_proxies(network);
  return options;
}

std::string Ask(RawClient& client, absl::string_view bytes) {
  EXPECT_TRUE(client.Send(bytes));
  return client.Receive().value_or(RawResponse()).body;
}

TEST(ServerProxyTest, BelievesATrustedProxy) {
  TestServer server(Trusting("127.0.0.0/8"));
  RawClient client(server.port());
  const std::string seen = Ask(client, Describe(kReported));
  EXPECT_THAT(seen, HasSubstr("\nremote=203.0.113.9\ntls=yes\n"));
  EXPECT_THAT(seen, HasSubstr("\nHost=r.example\n"));
}

TEST(ServerProxyTest, ForgetsTheClientOfTheRequestBefore) {
  TestServer server(Trusting("127.0.0.0/8"));
  RawClient client(server.port());
  EXPECT_THAT(Ask(client, Describe(kReported)), HasSubstr("\nremote=203.0.113.9\ntls=yes\n"));
  const std::string bare = Ask(client, Describe());
  EXPECT_THAT(bare, HasSubstr("\nremote=127.0.0.1\ntls=no\n"));
  EXPECT_THAT(bare, HasSubstr("\nHost=inside\n"));
  EXPECT_THAT(Ask(client, Describe("X-Forwarded-For: 203.0.113.10\r\n")), HasSubstr("\nremote=203.0.113.10\ntls=no\n"));
}

TEST(ServerProxyTest, IgnoresWhatOtherPeersReport) {
  for (const Server::Options& options : {TestServer::DefaultOptions(), Trusting("10.0.0.0/8")}) {
    TestServer server(options);
    RawClient client(server.port());
    const std::string seen =
        Ask(client, Describe(absl::StrCat(kReported, "Forwarded: for=203.0.113.9;proto=https\r\n")));
    EXPECT_THAT(seen, HasSubstr("\nremote=127.0.0.1\ntls=no\n"));
    EXPECT_THAT(seen, HasSubstr("\nHost=inside\n"));
  }
}

TEST(ServerProxyTest, ReadsForwardedIfConfigured) {
  Server::Options options = Trusting("127.0.0.1");
  options.endpoint.set_forwarded_header("forwarded");
  TestServer server(options);
  RawClient client(server.port());
  const std::string seen =
      Ask(client, Describe(absl::StrCat(kReported, "Forwarded: for=\"[2001:db8::9]:4711\";proto=https\r\n")));
  EXPECT_THAT(seen, HasSubstr("\nremote=2001:db8::9\ntls=yes\n"));
  EXPECT_THAT(seen, HasSubstr("\nHost=inside\n"));
}

class ProxyProtocolTest : public ::testing::Test {
 protected:
  static Server::Options Options(const std::string& network) {
    Server::Options options = Trusting(network);
    options.endpoint.set_proxy_protocol(true);
    return options;
  }

  TestServer server_{Options("127.0.0.1")};
  RawClient client_{server_.port()};
};

TEST_F(ProxyProtocolTest, TakesTheClientOfTheHeader) {
  ASSERT_TRUE(client_.Send("PROXY TCP4 203.0.113.9 10.0.0.1 5632"));
  ASSERT_TRUE(client_.Send("4 443\r\n"));
  EXPECT_THAT(Ask(client_, Describe()), HasSubstr("\nremote=203.0.113.9\ntls=no\n"));
  EXPECT_THAT(Ask(client_, Describe()), HasSubstr("\nremote=203.0.113.9\ntls=no\n"));
}

TEST_F(ProxyProtocolTest, BelievesNoFieldsOfTheClient) {
  ASSERT_TRUE(client_.Send("PROXY TCP4 203.0.113.9 10.0.0.1 56324 443\r\n"));
  EXPECT_THAT(Ask(client_, Describe("X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-Proto: https\r\n")),
              HasSubstr("\nremote=203.0.113.9\ntls=no\n"));
}

TEST_F(ProxyProtocolTest, BelievesTheFieldsOfATrustedProxyBehindAnother) {
  ASSERT_TRUE(client_.Send("PROXY TCP4 127.0.0.1 10.0.0.1 56324 443\r\n"));
  EXPECT_THAT(Ask(client_, Describe(kReported)), HasSubstr("\nremote=203.0.113.9\ntls=yes\n"));
}

TEST_F(ProxyProtocolTest, BelievesNoFieldsOfAClientThatTheProxyDoesNotName) {
  ASSERT_TRUE(client_.Send("PROXY UNKNOWN\r\n"));
  EXPECT_THAT(Ask(client_, Describe(kReported)), HasSubstr("\nremote=127.0.0.1\ntls=no\n"));
}

TEST_F(ProxyProtocolTest, KnowsThatTheProxyEndedTls) {
  std::string header("\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x14", 16);
  header += std::string("\xcb\x00\x71\x09\x0a\x00\x00\x01\x12\x34\x01\xbb", 12);
  header += std::string("\x20\x00\x05\x01\x00\x00\x00\x00", 8);
  EXPECT_THAT(Ask(client_, header + Describe()), HasSubstr("\nremote=203.0.113.9\ntls=yes\n"));
}

TEST_F(ProxyProtocolTest, TakesTheProxysOwnConnections) {
  EXPECT_THAT(Ask(client_, absl::StrCat(absl::string_view("\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00", 16), Describe())),
              HasSubstr("\nremote=127.0.0.1\ntls=no\n"));
}

TEST_F(ProxyProtocolTest, ClosesAConnectionWithoutAHeaderAndLogsIt) {
  // Other tests may have caused the line within its interval.
  runtime::FlushLimitedLog();
  ::testing::internal::CaptureStderr();
  ASSERT_TRUE(client_.Send("GET /describe HTTP/1.1\r\nHost: r\r\n\r\n"));
  EXPECT_FALSE(client_.Receive().has_value());
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("refused a connection of a trusted proxy"));
  EXPECT_EQ(server_.handler().handled(), 0);
}

TEST_F(ProxyProtocolTest, AcceptsACheckWhetherThePortIsOpenSilently) {
  ::testing::internal::CaptureStderr();
  client_.EndSending();
  EXPECT_TRUE(client_.ReceiveEnd());
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), Not(HasSubstr("refused")));
}

TEST(ProxyProtocolServerTest, ClosesAConnectionWhoseHeaderDoesNotArriveInTime) {
  Server::Options options = Trusting("127.0.0.1");
  options.endpoint.set_proxy_protocol(true);
  options.limits.mutable_header_timeout()->CopyFrom(Milliseconds(60));
  TestServer server(options);
  RawClient client(server.port());
  ASSERT_TRUE(client.Send("PROXY TCP4 203"));
  EXPECT_TRUE(client.WaitForInput(10'000));
  EXPECT_FALSE(client.Receive().has_value());
}

TEST(ProxyProtocolServerTest, ServesOtherPeersWithoutAHeader) {
  Server::Options options = Trusting("10.0.0.0/8");
  options.endpoint.set_proxy_protocol(true);
  TestServer server(options);
  RawClient client(server.port());
  EXPECT_THAT(Ask(client, Describe()), HasSubstr("\nremote=127.0.0.1\ntls=no\n"));
  // They cannot claim an address.
  RawClient liar(server.port());
  ASSERT_TRUE(liar.Send("PROXY TCP4 203.0.113.9 10.0.0.1 56324 443\r\n" + Describe()));
  EXPECT_EQ(liar.Receive().value_or(RawResponse()).status, 400);
}

}  // namespace
}  // namespace entrepot::gateway::http
