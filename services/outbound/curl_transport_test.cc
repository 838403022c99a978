#include "services/outbound/curl_transport.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/outbound/testing/scripted_server.h"
#include "services/status/oci_error.h"
#include "services/status/retry_after.h"
#include "services/status/status_matchers.h"

namespace entrepot::outbound {
namespace {

using testing::HasSubstr;

std::string Response(absl::string_view body, absl::string_view headers = "") {
  return absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", body.size(), "\r\n", headers, "\r\n", body);
}

std::string BodyOf(WireResponse& response) {
  std::string body;
  char piece[10'000];
  while (true) {
    const absl::StatusOr<size_t> count = response.Read(piece, sizeof(piece));
    EXPECT_OK(count);
    if (!count.ok() || *count == 0) return body;
    body.append(piece, *count);
  }
}

TEST(CurlTransportTest, SendsABodyAndReadsTheAnswer) {
  std::string received;
  ScriptedServer server([&](const ScriptedServer::Request& request, ScriptedServer::Connection& connection) {
    received = request.text;
    connection.Write(Response("answer", "X-Some: 1\r\n"));
  });
  CurlTransport transport({});
  const std::string body(100'000, 'b');
  const absl::StatusOr<std::unique_ptr<WireResponse>> response = transport.Send(
      {.method = "PUT", .url = server.Url("/a%2Fb/../c?x=%20"), .headers = {{"x-amz-date", "now"}}, .body = body});
  ASSERT_OK(response);
  EXPECT_EQ((*response)->status(), 200);
  EXPECT_EQ((*response)->Header("x-some"), "1");
  EXPECT_EQ(BodyOf(**response), "answer");
  EXPECT_THAT(received, testing::StartsWith("PUT /a%2Fb/../c?x=%20 HTTP/1.1\r\n"));
  EXPECT_THAT(received, HasSubstr("x-amz-date: now\r\n"));
  EXPECT_THAT(received, testing::Not(HasSubstr("Content-Type")));
  EXPECT_TRUE(absl::EndsWith(received, body));
}

TEST(CurlTransportTest, KeepsTheConnection) {
  int connections = 0;
  ScriptedServer server([&](const ScriptedServer::Request& request, ScriptedServer::Connection& connection) {
    connections = request.connection;
    connection.Write(Response("answer"));
  });
  CurlTransport transport({});
  for (int i = 0; i < 5; ++i) {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WireResponse> response, transport.Send({.url = server.Url("/")}));
    EXPECT_EQ(BodyOf(*response), "answer");
  }
  EXPECT_EQ(connections, 1);
}

TEST(CurlTransportTest, AResponseThatIsNotReadWaits) {
  const std::string large(20 << 20, 'x');
  ScriptedServer server([&](const ScriptedServer::Request&, ScriptedServer::Connection& connection) {
    connection.Write(Response(large));
  });
  CurlTransport transport({});
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<WireResponse> kept, transport.Send({.url = server.Url("/")}));
  char piece[1000];
  EXPECT_THAT(kept->Read(piece, sizeof(piece)), IsOkAndHolds(sizeof(piece)));
  // It may be left in the middle.
  kept.reset();
  ASSERT_OK_AND_ASSIGN(kept, transport.Send({.url = server.Url("/")}));
  EXPECT_TRUE(BodyOf(*kept) == large);
}

TEST(CurlTransportTest, ReadsOfAnySizesGiveTheBytesInOrder) {
  std::string large(5'000'001, '\0');
  for (size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 31 + i / 777);
  ScriptedServer server([&](const ScriptedServer::Request&, ScriptedServer::Connection& connection) {
    connection.Write(Response(large));
  });
  CurlTransport transport({});
  for (const std::vector<size_t>& sizes :
       std::vector<std::vector<size_t>>{{1 << 20}, {1 << 20, 1, 7, 300'000}, {100'000, 3}, {262'144}}) {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WireResponse> response, transport.Send({.url = server.Url("/")}));
    std::string body;
    for (size_t i = 0;; ++i) {
      // A byte behind those that are asked for shows whether it stays.
      std::string piece(sizes[i % sizes.size()] + 1, '!');
      ASSERT_OK_AND_ASSIGN(const size_t count, response->Read(piece.data(), piece.size() - 1));
      if (count == 0) break;
      ASSERT_EQ(piece.back(), '!');
      body.append(piece, 0, count);
    }
    EXPECT_TRUE(body == large) << sizes.front();
  }
}

TEST(CurlTransportTest, ABodyThatIsCutIsUnavailable) {
  ScriptedServer server([&](const ScriptedServer::Request&, ScriptedServer::Connection& connection) {
    connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    connection.Close();
  });
  CurlTransport transport({});
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WireResponse> response, transport.Send({.url = server.Url("/")}));
  char piece[10];
  ASSERT_THAT(response->Read(piece, sizeof(piece)), IsOkAndHolds(3u));
  EXPECT_THAT(response->Read(piece, sizeof(piece)), IsOciError(OciErrorCode::kUnavailable));
}

TEST(CurlTransportTest, ASilentServerIsUnavailable) {
  ScriptedServer server([&](const ScriptedServer::Request&, ScriptedServer::Connection& connection) {
    connection.WaitForEnd(absl::Seconds(30));
  });
  CurlTransport transport({});
  const absl::Status status =
      transport.Send({.url = server.Url("/?secret"), .idle_timeout = absl::Milliseconds(200)}).status();
  EXPECT_THAT(status, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(status.message(), HasSubstr("silent for 200ms"));
  EXPECT_THAT(status.message(), testing::Not(HasSubstr("secret")));
}

TEST(CurlTransportTest, NoServerIsUnavailable) {
  CurlTransport transport({});
  EXPECT_THAT(transport.Send({.url = "http://127.0.0.1:1/"}), IsOciError(OciErrorCode::kUnavailable));
}

TEST(CurlTransportTest, MoreConnectionsThanAllowedAreUnavailable) {
  ScriptedServer server([&](const ScriptedServer::Request&, ScriptedServer::Connection& connection) {
    connection.Write(Response("answer"));
  });
  CurlTransport transport(
      {.connections_max = 1, .wait_max = absl::Milliseconds(50), .connections_max_name = "objects.s3.connections_max"});
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<WireResponse> first, transport.Send({.url = server.Url("/")}));
  const absl::Status status = transport.Send({.url = server.Url("/")}).status();
  EXPECT_THAT(status, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(status.message(), HasSubstr("objects.s3.connections_max"));
  EXPECT_TRUE(GetRetryAfter(status).has_value());
  first.reset();
  EXPECT_OK(transport.Send({.url = server.Url("/")}));
}

TEST(CurlTransportTest, ClientsLeaveAQuarterOfTheConnections) {
  ScriptedServer server([&](const ScriptedServer::Request&, ScriptedServer::Connection& connection) {
    connection.Write(Response("answer"));
  });
  CurlTransport transport(
      {.connections_max = 4, .wait_max = absl::Milliseconds(50), .connections_max_name = "some_max"});
  std::vector<std::unique_ptr<WireResponse>> slow(3);
  for (std::unique_ptr<WireResponse>& response : slow) {
    ASSERT_OK_AND_ASSIGN(response, transport.Send({.url = server.Url("/"), .paced_by_client = true}));
  }
  const absl::Status status = transport.Send({.url = server.Url("/"), .paced_by_client = true}).status();
  EXPECT_THAT(status, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(status.message(), HasSubstr("three quarters of some_max"));
  EXPECT_TRUE(GetRetryAfter(status).has_value());
  EXPECT_OK(transport.Send({.url = server.Url("/")}));
  EXPECT_EQ(BodyOf(*slow[0]), "answer");
  slow.pop_back();
  EXPECT_OK(transport.Send({.url = server.Url("/"), .paced_by_client = true}));
}

TEST(CurlTransportTest, AConnectionThatAClientDoesNotReadFromGoesToOneThatWaits) {
  const std::string large(4 << 20, 'x');
  ScriptedServer server([&](const ScriptedServer::Request&, ScriptedServer::Connection& connection) {
    connection.Write(Response(large));
  });
  CurlTransport transport({.connections_max = 1, .wait_max = absl::Seconds(30), .unread_max = absl::Milliseconds(50)});
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WireResponse> slow,
                       transport.Send({.url = server.Url("/"), .paced_by_client = true}));
  char piece[1000];
  ASSERT_THAT(slow->Read(piece, sizeof(piece)), IsOkAndHolds(sizeof(piece)));
  for (const bool paced_by_client : {true, false}) {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WireResponse> next,
                         transport.Send({.url = server.Url("/"), .paced_by_client = paced_by_client}));
    EXPECT_TRUE(BodyOf(*next) == large);
  }
  const absl::Status status = slow->Read(piece, sizeof(piece)).status();
  EXPECT_THAT(status, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(status.message(), HasSubstr("given to another request"));
  // It continues with a new one, which waits for none.
  EXPECT_OK(transport.Send({.url = server.Url("/"), .paced_by_client = true}));
}

TEST(CurlTransportTest, OneClientLeavesConnectionsToOthers) {
  const std::string large(4 << 20, 'x');
  ScriptedServer server([&](const ScriptedServer::Request&, ScriptedServer::Connection& connection) {
    connection.Write(Response(large));
  });
  std::vector<LostConnection> lost;
  CurlTransport transport({.connections_max = 8,
                           .wait_max = absl::Milliseconds(50),
                           .unread_max = absl::Hours(1),
                           .on_lost = [&](LostConnection reason) { lost.push_back(reason); }});
  const auto get = [&](const std::string& client) {
    return transport.Send({.url = server.Url("/"), .paced_by_client = true, .client = client});
  };
  // Three quarters.
  std::vector<std::unique_ptr<WireResponse>> greedy(6);
  for (std::unique_ptr<WireResponse>& response : greedy) {
    ASSERT_OK_AND_ASSIGN(response, get("greedy"));
  }
  EXPECT_THAT(get("greedy"), IsOciError(OciErrorCode::kUnavailable)) << "it takes none from itself";
  std::vector<std::unique_ptr<WireResponse>> others(3);
  for (std::unique_ptr<WireResponse>& response : others) {
    ASSERT_OK_AND_ASSIGN(response, get("other"));
  }
  EXPECT_THAT(lost, testing::Each(LostConnection::kShare));
  EXPECT_EQ(lost.size(), 3u);
  EXPECT_THAT(get("other"), IsOciError(OciErrorCode::kUnavailable)) << "both have as many";
  EXPECT_OK(get("third"));
  for (const std::unique_ptr<WireResponse>& response : others) EXPECT_TRUE(BodyOf(*response) == large);
  int cut = 0;
  for (const std::unique_ptr<WireResponse>& response : greedy) {
    char piece[1000];
    const absl::StatusOr<size_t> count = response->Read(piece, sizeof(piece));
    if (count.ok()) continue;
    EXPECT_THAT(count, IsOciError(OciErrorCode::kUnavailable));
    EXPECT_THAT(count.status().message(), HasSubstr("its connection was given to another request"));
    ++cut;
  }
  EXPECT_GE(cut, 3);
}

TEST(CurlTransportTest, FewRequestsOfOneClientWaitForAConnection) {
  ScriptedServer server([&](const ScriptedServer::Request&, ScriptedServer::Connection& connection) {
    connection.Write(Response("answer"));
  });
  CurlTransport transport({.connections_max = 1, .unread_max = absl::Hours(1), .client_waiting_max = 0});
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<WireResponse> kept,
                       transport.Send({.url = server.Url("/"), .paced_by_client = true, .client = "a"}));
  const absl::Status status = transport.Send({.url = server.Url("/"), .paced_by_client = true, .client = "a"}).status();
  EXPECT_THAT(status, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_TRUE(GetRetryAfter(status).has_value());
  kept.reset();
  EXPECT_OK(transport.Send({.url = server.Url("/"), .paced_by_client = true, .client = "a"}));
}

}  // namespace
}  // namespace entrepot::outbound
