#include "services/outbound/http_hop.h"

#include <stdlib.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/ip_network.h"
#include "services/core/public_address.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/outbound/testing/scripted_server.h"
#include "services/runtime/tls/test_certificates.h"
#include "services/status/status_matchers.h"

namespace entrepot::outbound {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::StartsWith;
using Request = ScriptedServer::Request;
using Connection = ScriptedServer::Connection;

// What a sink has received.
struct Received {
  std::vector<HopHead> heads;
  std::string body;

  HopSink Sink() {
    return {.on_head =
                [this](const HopHead& head) {
                  heads.push_back(head);
                  return absl::OkStatus();
                },
            .on_bytes =
                [this](absl::string_view bytes) {
                  body.append(bytes.data(), bytes.size());
                  return absl::OkStatus();
                }};
  }
};

absl::StatusOr<HopHead> Send(const HopRequest& request, HopOptions options = {}, const HopSink& sink = {}) {
  return HttpHop::Create(std::move(options))->Send(request, sink);
}

ScriptedServer::Handler Respond(std::string response) {
  return [response = std::move(response)](const Request&, Connection& connection) { connection.Write(response); };
}

ScriptedServer::Handler RespondAndClose(std::string response) {
  return [response = std::move(response)](const Request&, Connection& connection) {
    connection.Write(response);
    connection.Close();
  };
}

absl::Status CheckPublic(absl::string_view ip_address) {
  const std::optional<IpAddress> address = IpAddress::Parse(ip_address);
  return address.has_value() ? CheckPublicAddress(*address) : absl::InternalError("not an address");
}

TEST(HttpHopTest, GivesTheHeadAndTheBodyToTheSink) {
  ScriptedServer server(
      RespondAndClose("HTTP/1.1 206 Partial Content\r\nContent-Type: text/plain\r\nLINK: a\r\nlink:b \r\nX-Empty:\r\n"
                      "Content-Length: 4\r\n\r\ntext"));
  Received received;
  const std::thread::id here = std::this_thread::get_id();
  HopSink sink = received.Sink();
  sink.on_bytes = [&, on_bytes = sink.on_bytes](absl::string_view bytes) {
    EXPECT_EQ(std::this_thread::get_id(), here);
    EXPECT_EQ(received.heads.size(), 1);
    return on_bytes(bytes);
  };
  ASSERT_OK_AND_ASSIGN(const HopHead head, Send({.url = server.Url("/a?b=c")}, {.user_agent = "entrepot/1"}, sink));
  EXPECT_EQ(head.status, 206);
  EXPECT_THAT(head.fields, ElementsAre(Pair("content-type", "text/plain"), Pair("link", "a"), Pair("link", "b"),
                                       Pair("x-empty", ""), Pair("content-length", "4")));
  EXPECT_EQ(head.Field("link"), "a");
  EXPECT_EQ(head.Field("absent"), "");
  EXPECT_THAT(head.Fields("link"), ElementsAre("a", "b"));
  ASSERT_EQ(received.heads.size(), 1);
  EXPECT_EQ(received.heads[0].status, 206);
  EXPECT_EQ(received.heads[0].fields, head.fields);
  EXPECT_EQ(received.body, "text");
}

TEST(HttpHopTest, SendsOnlyWhatTheRequestNames) {
  ScriptedServer server(RespondAndClose(OkResponse("")));
  ASSERT_OK(Send({.url = server.Url("/a/../b?c")}, {.user_agent = "entrepot/1"}));
  EXPECT_EQ(server.requests()[0].text, absl::StrCat("GET /a/../b?c HTTP/1.1\r\nHost: 127.0.0.1:", server.port(),
                                                    "\r\nUser-Agent: entrepot/1\r\n\r\n"));
}

TEST(HttpHopTest, SendsMethodHeadersAndBody) {
  ScriptedServer server(Respond(KeptResponse("")));
  const auto hop = HttpHop::Create({});
  ASSERT_OK(hop->Send({.method = "POST",
                       .url = server.Url("/token"),
                       .headers = {{"Authorization", "Basic YTpi"},
                                   {"Accept", "application/json"},
                                   {"Accept-Encoding", "identity"},
                                   {"Content-Type", "application/x-www-form-urlencoded"}},
                       .body = "a=b"},
                      {}));
  ASSERT_OK(hop->Send({.method = "POST", .url = server.Url("/empty")}, {}));
  const std::vector<Request> requests = server.requests();
  ASSERT_EQ(requests.size(), 2);
  EXPECT_THAT(requests[0].text,
              AllOf(StartsWith("POST /token HTTP/1.1\r\n"), HasSubstr("\r\nAuthorization: Basic YTpi\r\n"),
                    HasSubstr("\r\nAccept: application/json\r\n"), HasSubstr("\r\nAccept-Encoding: identity\r\n"),
                    HasSubstr("\r\nContent-Type: application/x-www-form-urlencoded\r\n"), Not(HasSubstr("Expect")),
                    EndsWith("\r\n\r\na=b")));
  // Nothing of the first request is in the second one, which has the same connection.
  EXPECT_EQ(requests[1].connection, 1);
  EXPECT_THAT(requests[1].text, AllOf(HasSubstr("\r\nContent-Length: 0\r\n"), Not(HasSubstr("Authorization")),
                                      Not(HasSubstr("Accept")), Not(HasSubstr("Content-Type"))));
}

TEST(HttpHopTest, DoesNotFollowRedirects) {
  ScriptedServer server(
      RespondAndClose("HTTP/1.1 307 Temporary Redirect\r\nLocation: /b\r\nContent-Length: 2\r\n\r\nno"));
  Received received;
  ASSERT_OK_AND_ASSIGN(const HopHead head, Send({.url = server.Url("/a")}, {}, received.Sink()));
  EXPECT_EQ(head.status, 307);
  EXPECT_EQ(head.Field("location"), "/b");
  EXPECT_EQ(received.body, "no");
  EXPECT_EQ(server.requests().size(), 1);
}

TEST(HttpHopTest, DoesNotDecode) {
  ScriptedServer server(
      RespondAndClose("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip."));
  Received received;
  ASSERT_OK(Send({.url = server.Url("/"), .headers = {{"Accept-Encoding", "gzip"}}}, {}, received.Sink()));
  EXPECT_EQ(received.body, "not gzip.");
}

TEST(HttpHopTest, KeepsNoCookies) {
  ScriptedServer server(Respond("HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n"));
  const auto hop = HttpHop::Create({});
  ASSERT_OK(hop->Send({.url = server.Url("/")}, {}));
  ASSERT_OK(hop->Send({.url = server.Url("/")}, {}));
  EXPECT_THAT(server.requests()[1].text, Not(HasSubstr("Cookie")));
}

TEST(HttpHopTest, TakesBodiesWithoutALength) {
  for (const char* response :
       {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\ntext", "HTTP/1.0 200 OK\r\n\r\ntext",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nte\r\n2\r\nxt\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Link\r\n\r\n4\r\ntext\r\n0\r\nLink: a\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntext",
        "HTTP/1.1 200 OK\nContent-Length: 4\n\ntext"}) {
    ScriptedServer server(RespondAndClose(response));
    Received received;
    ASSERT_OK_AND_ASSIGN(const HopHead head, Send({.url = server.Url("/")}, {}, received.Sink()));
    EXPECT_EQ(head.status, 200) << response;
    EXPECT_EQ(received.heads.size(), 1) << response;
    EXPECT_EQ(head.Field("link"), "") << response;
    EXPECT_EQ(received.body, "text") << response;
  }
}

TEST(HttpHopTest, TakesHeadsOfBodiesThatDoNotFollow) {
  ScriptedServer server([](const Request& request, Connection& connection) {
    connection.Write(request.method == "HEAD" ? "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"
                                              : "HTTP/1.1 304 Not Modified\r\nContent-Length: 5000\r\n\r\n");
  });
  const auto hop = HttpHop::Create({});
  Received received;
  ASSERT_OK_AND_ASSIGN(const HopHead head, hop->Send({.method = "HEAD", .url = server.Url("/")}, received.Sink()));
  EXPECT_EQ(head.Field("content-length"), "5000");
  ASSERT_OK_AND_ASSIGN(const HopHead not_modified, hop->Send({.url = server.Url("/")}, received.Sink()));
  EXPECT_EQ(not_modified.status, 304);
  EXPECT_EQ(received.heads.size(), 2);
  EXPECT_EQ(received.body, "");
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpHopTest, UsesAConnectionAgain) {
  ScriptedServer server(Respond(KeptResponse("text")));
  const auto hop = HttpHop::Create({});
  for (int i = 0; i < 3; ++i) ASSERT_OK(hop->Send({.url = server.Url("/")}, {}));
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpHopTest, ConnectsAgainIfTheServerHasClosedAKeptConnection) {
  ScriptedServer server(RespondAndClose(KeptResponse("text")));
  const auto hop = HttpHop::Create({});
  for (int i = 0; i < 3; ++i) {
    Received received;
    ASSERT_OK(hop->Send({.url = server.Url("/")}, received.Sink()));
    EXPECT_EQ(received.body, "text");
  }
  EXPECT_EQ(server.connections(), 3);
}

TEST(HttpHopTest, SendsFromManyThreads) {
  ScriptedServer server(
      [](const Request& request, Connection& connection) { connection.Write(KeptResponse(request.target)); });
  const auto hop = HttpHop::Create({});
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 20; ++i) {
        const std::string target = absl::StrCat("/", thread, "/", i);
        Received received;
        EXPECT_OK(hop->Send({.url = server.Url(target)}, received.Sink()));
        EXPECT_EQ(received.body, target);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(server.requests().size(), 160);
  EXPECT_LE(server.connections(), 8);
}

TEST(HttpHopTest, RefusesIncompleteResponses) {
  const std::string responses[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntext",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ntext\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ntext",
      "HTTP/1.1 200 OK\r\nContent-Len",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\ntext",
      "HTTP/1.1 200 OK\r\nA: b\x01\r\nContent-Length: 0\r\n\r\n",
      absl::StrCat("HTTP/1.1 200 OK\r\nA: ", std::string(2000, 'a'), "\r\nContent-Length: 0\r\n\r\n"),
      absl::StrCat("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: ", std::string(2000, 'a'), "\r\n\r\n"),
      "HTTP/1.1 101 Switching Protocols\r\n\r\n",
      "hello\r\n\r\n",
      "",
  };
  for (const std::string& response : responses) {
    ScriptedServer server(RespondAndClose(response));
    EXPECT_THAT(Send({.url = server.Url("/")}, {.header_bytes_max = 1000}), StatusIs(absl::StatusCode::kUnavailable))
        << response.substr(0, 80);
  }
}

TEST(HttpHopTest, GivesTheSinkWhatPrecedesTheBreak) {
  ScriptedServer server(RespondAndClose("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntext"));
  Received received;
  const absl::Status status = Send({.url = server.Url("/a?secret")}, {}, received.Sink()).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(status.message()),
              AllOf(StartsWith(absl::StrCat("the response broke off from ", server.Url("/a"), ": ")),
                    Not(HasSubstr("secret"))));
  EXPECT_EQ(received.body, "text");
}

TEST(HttpHopTest, ErrorsNameTheUrlWithoutItsQuery) {
  const absl::Status status = Send({.url = "http://127.0.0.1:1/keys?token=secret"}).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(status.message()),
              AllOf(StartsWith("no answer from http://127.0.0.1:1/keys: "), Not(HasSubstr("secret"))));
}

TEST(HttpHopTest, ReturnsTheErrorsOfTheSink) {
  ScriptedServer server(Respond(KeptResponse("text")));
  const auto hop = HttpHop::Create({});
  Received received;
  HopSink head_fails = received.Sink();
  head_fails.on_head = [](const HopHead&) { return absl::AlreadyExistsError("head"); };
  EXPECT_EQ(hop->Send({.url = server.Url("/")}, head_fails).status(), absl::AlreadyExistsError("head"));
  EXPECT_EQ(received.body, "");
  EXPECT_EQ(hop->Send({.method = "HEAD", .url = server.Url("/")}, head_fails).status(),
            absl::AlreadyExistsError("head"));
  HopSink bytes_fail = received.Sink();
  bytes_fail.on_bytes = [](absl::string_view) { return absl::ResourceExhaustedError("bytes"); };
  EXPECT_EQ(hop->Send({.url = server.Url("/")}, bytes_fail).status(), absl::ResourceExhaustedError("bytes"));
  EXPECT_OK(hop->Send({.url = server.Url("/")}, received.Sink()));
  EXPECT_EQ(received.body, "text");
}

TEST(HttpHopTest, EndsAtTheTimeout) {
  ScriptedServer server(
      [](const Request&, Connection& connection) { connection.WaitForEnd(absl::InfiniteDuration()); });
  EXPECT_THAT(Send({.url = server.Url("/"), .timeout = absl::Milliseconds(100)}),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST(HttpHopTest, EndsAtTheConnectTimeout) {
  // The server reads the client's handshake as the beginning of a request, and waits for its end.
  ScriptedServer without_tls(Respond(OkResponse("")));
  EXPECT_THAT(Send({.url = without_tls.Url("/", "https"), .timeout = absl::InfiniteDuration()},
                   {.connect_timeout = absl::Milliseconds(100)}),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST(HttpHopTest, EndsIfTheResponseStalls) {
  for (const char* begin : {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntext"}) {
    ScriptedServer server([begin](const Request&, Connection& connection) {
      connection.Write(begin);
      connection.WaitForEnd(absl::InfiniteDuration());
    });
    const absl::Status status =
        Send({.url = server.Url("/"), .timeout = absl::InfiniteDuration()}, {.stall_timeout = absl::Milliseconds(100)})
            .status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_THAT(std::string(status.message()), EndsWith("fewer than 1024 bytes a second arrived for 100ms"));
  }
}

TEST(HttpHopTest, EndsIfTheResponseTrickles) {
  ScriptedServer server([](const Request&, Connection& connection) {
    connection.Write("HTTP/1.1 200 OK\r\n\r\n");
    while (connection.Write("x") && !connection.WaitForEnd(absl::Milliseconds(5))) {
    }
  });
  const absl::Status status =
      Send({.url = server.Url("/"), .timeout = absl::InfiniteDuration()}, {.stall_timeout = absl::Milliseconds(200)})
          .status();
  EXPECT_THAT(std::string(status.message()), EndsWith("fewer than 1024 bytes a second arrived for 200ms"));
}

TEST(HttpHopTest, DoesNotCountTheTimeInWhichTheSinkBlocks) {
  constexpr int kPieces = 4;
  constexpr absl::Duration kStall = absl::Milliseconds(300);
  std::atomic<int> pieces = 0;
  ScriptedServer slow([&](const Request&, Connection& connection) {
    connection.Write(absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", kPieces, "\r\n\r\n"));
    for (int i = 0; i < kPieces; ++i) {
      // The next piece is sent after the sink has taken the last one.
      while (pieces < i) {
        if (connection.WaitForEnd(absl::Milliseconds(1))) return;
      }
      connection.Write("x");
    }
  });
  EXPECT_OK(Send({.url = slow.Url("/"), .timeout = absl::InfiniteDuration()}, {.stall_timeout = kStall},
                 {.on_bytes = [&](absl::string_view) {
                   absl::SleepFor(kStall * 2);
                   ++pieces;
                   return absl::OkStatus();
                 }}));
  EXPECT_EQ(pieces, kPieces);
}

TEST(HttpHopTest, RefusesUrlsThatCouldMisleadAChecker) {
  for (const std::string& url :
       {std::string("file:///etc/passwd"), std::string("gopher://127.0.0.1/"), std::string(""),
        std::string("127.0.0.1"), std::string("http://"), std::string("http://user@127.0.0.1:1/"),
        std::string("http://user:secret@127.0.0.1:1/"), std::string("http://127.0.0.1:1/a\r\nB: c"),
        std::string("http://127.0.0.1:1/a\0b", 22), std::string("http://127.0.0.1:1/a b"),
        std::string("http://[fe80::1%25eth0]:1/"), std::string("http://[fe80::1%eth0]:1/")}) {
    const absl::Status status = Send({.url = url}).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument)) << url;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret")));
  }
}

TEST(HttpHopTest, RefusesHeadersThatWouldAddOthers) {
  const std::vector<std::pair<std::string, std::string>> headers[] = {
      {{"A", "b\r\nC: d"}}, {{"A\r\nC", "d"}}, {{"A:b", "c"}}, {{"", "c"}}};
  for (const auto& bad : headers) {
    EXPECT_THAT(Send({.url = "http://127.0.0.1:1/", .headers = bad}), StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST(HttpHopTest, ChecksTheAddressThatAHostStandsFor) {
  ScriptedServer server(Respond(OkResponse("")));
  for (const char* host :
       {"127.0.0.1", "localhost", "LOCALHOST", "a.localhost", "2130706433", "0x7f000001", "0x7f.1", "017700000001",
        "127.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "[::]"}) {
    const absl::Status status = Send({.url = server.Url("/", "http", host)}, {.check_address = CheckPublic}).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kPermissionDenied)) << host;
    EXPECT_THAT(std::string(status.message()), HasSubstr("is not public")) << host;
  }
  EXPECT_EQ(server.connections(), 0);
}

TEST(HttpHopTest, TakesTheNextAddressIfOneIsRefused) {
  ScriptedServer server(RespondAndClose(OkResponse("text")));
  std::vector<std::string> checked;
  // Stands for ::1 and for 127.0.0.1.
  EXPECT_OK(Send({.url = server.Url("/", "http", "localhost")}, {.check_address = [&](absl::string_view ip_address) {
                   checked.emplace_back(ip_address);
                   return ip_address == "127.0.0.1" ? absl::OkStatus() : absl::PermissionDeniedError(ip_address);
                 }}));
  ASSERT_FALSE(checked.empty());
  EXPECT_EQ(checked.back(), "127.0.0.1");
}

TEST(HttpHopTest, ChecksTheAddressOfAConnectionThatIsUsedAgain) {
  ScriptedServer server(Respond(KeptResponse("text")));
  std::vector<std::string> checked;
  bool allowed = true;
  const auto hop = HttpHop::Create({.check_address = [&](absl::string_view ip_address) {
    checked.emplace_back(ip_address);
    return allowed ? absl::OkStatus() : absl::PermissionDeniedError("no longer");
  }});
  ASSERT_OK(hop->Send({.url = server.Url("/")}, {}));
  checked.clear();
  ASSERT_OK(hop->Send({.url = server.Url("/")}, {}));
  EXPECT_EQ(server.connections(), 1);
  EXPECT_THAT(checked, ElementsAre("127.0.0.1"));
  allowed = false;
  EXPECT_EQ(hop->Send({.url = server.Url("/")}, {}).status(), absl::PermissionDeniedError("no longer"));
  EXPECT_EQ(server.requests().size(), 2);
}

TEST(HttpHopTest, UsesTheProxyOfTheEnvironment) {
  ScriptedServer proxy(RespondAndClose(OkResponse("text")));
  std::vector<std::string> checked;
  setenv("http_proxy", proxy.Url("").c_str(), 1);
  const absl::Status status = Send({.url = "http://registry.example/a?b"}, {.check_address =
                                                                                [&](absl::string_view ip_address) {
                                                                                  checked.emplace_back(ip_address);
                                                                                  return absl::OkStatus();
                                                                                }})
                                  .status();
  unsetenv("http_proxy");
  EXPECT_OK(status);
  EXPECT_EQ(proxy.WaitForRequests(1)[0].target, "http://registry.example/a?b");
  EXPECT_THAT(checked, testing::Each("127.0.0.1"));
}

TEST(HttpHopTest, StopEndsARequestThatWaits) {
  ScriptedServer server(
      [](const Request&, Connection& connection) { connection.WaitForEnd(absl::InfiniteDuration()); });
  const auto hop = HttpHop::Create({.stall_timeout = absl::InfiniteDuration()});
  absl::StatusOr<HopHead> result = absl::UnknownError("");
  std::thread sender([&] { result = hop->Send({.url = server.Url("/"), .timeout = absl::InfiniteDuration()}, {}); });
  server.WaitForRequests(1);
  hop->Stop();
  sender.join();
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(hop->Send({.url = server.Url("/")}, {}), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(server.requests().size(), 1);
}

TEST(HttpHopTest, StopEndsABodyThatFlows) {
  ScriptedServer server([](const Request&, Connection& connection) {
    connection.Write("HTTP/1.1 200 OK\r\n\r\n");
    while (connection.Write(std::string(10'000, 'x'))) {
    }
  });
  const auto hop = HttpHop::Create({});
  int calls_after_stop = 0;
  bool stopped = false;
  EXPECT_THAT(hop->Send({.url = server.Url("/"), .timeout = absl::InfiniteDuration()}, {.on_bytes =
                                                                                            [&](absl::string_view) {
                                                                                              calls_after_stop +=
                                                                                                  stopped ? 1 : 0;
                                                                                              stopped = true;
                                                                                              hop->Stop();
                                                                                              return absl::OkStatus();
                                                                                            }}),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(calls_after_stop, 0);
}

class HttpHopTlsTest : public testing::Test {
 protected:
  std::string File(const std::string& name, const std::string& contents) {
    const std::string path = absl::StrCat(directory_.path(), "/", name);
    runtime::ReplaceFile(path, contents);
    return path;
  }

  const kv::TemporaryDirectory directory_;
  const runtime::TestCa ca_;
  const runtime::TestCa::Issued server_ = ca_.Issue({"IP:127.0.0.1"});
};

TEST_F(HttpHopTlsTest, TrustsTheAuthoritiesOfItsCaFile) {
  ScriptedServer server(Respond(KeptResponse("text")), {.certificate = &server_});
  const std::string ca_file = File("ca.pem", ca_.Pem());
  EXPECT_OK(Send({.url = server.Url("/", "https")}, {.ca_file = ca_file}));
  EXPECT_THAT(Send({.url = server.Url("/", "https")}), StatusIs(absl::StatusCode::kUnavailable));
  const runtime::TestCa other_ca;
  EXPECT_THAT(Send({.url = server.Url("/", "https")}, {.ca_file = File("other.pem", other_ca.Pem())}),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Send({.url = server.Url("/", "https", "localhost")}, {.ca_file = ca_file}),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Send({.url = server.Url("/", "https")}, {.ca_file = "/nonexistent/ca.pem"}),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(server.requests().size(), 1);
}

TEST_F(HttpHopTlsTest, UsesAConnectionAgain) {
  ScriptedServer server(Respond(KeptResponse("text")), {.certificate = &server_});
  const auto hop = HttpHop::Create({.ca_file = File("ca.pem", ca_.Pem())});
  for (int i = 0; i < 3; ++i) ASSERT_OK(hop->Send({.url = server.Url("/", "https")}, {}));
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HttpHopTlsTest, ShowsItsCertificate) {
  ScriptedServer server(Respond(KeptResponse("text")), {.certificate = &server_, .client_ca = ca_.Pem()});
  const std::string ca_file = File("ca.pem", ca_.Pem());
  const runtime::TestCa::Issued client = ca_.Issue({"DNS:client"});
  EXPECT_OK(Send({.url = server.Url("/", "https")}, {.ca_file = ca_file,
                                                     .client_certificate_file = File("client.pem", client.certificate),
                                                     .client_key_file = File("client.key", client.private_key)}));
  EXPECT_THAT(Send({.url = server.Url("/", "https")}, {.ca_file = ca_file}), StatusIs(absl::StatusCode::kUnavailable));
}

// The trace of one request, whose result does not matter.
HopTrace TraceOf(const std::string& url, HopOptions options = {}) {
  std::vector<HopTrace> traces;
  options.trace = [&](const HopTrace& trace) { traces.push_back(trace); };
  (void)Send({.url = url}, std::move(options));
  EXPECT_EQ(traces.size(), 1);
  return traces.empty() ? HopTrace() : traces[0];
}

TEST_F(HttpHopTlsTest, TracesHowFarAnExchangeCame) {
  int closed_port = 0;
  {
    const ScriptedServer server(Respond(KeptResponse("text")));
    const HopTrace trace = TraceOf(server.Url("/"));
    EXPECT_TRUE(trace.resolved.has_value());
    EXPECT_TRUE(trace.connected.has_value());
    EXPECT_FALSE(trace.secured.has_value());
    EXPECT_EQ(trace.ip_address, "127.0.0.1");
    EXPECT_EQ(trace.port, server.port());
    EXPECT_EQ(trace.certificate, nullptr);
    closed_port = server.port();
  }
  const HopTrace closed = TraceOf(absl::StrCat("http://127.0.0.1:", closed_port));
  EXPECT_TRUE(closed.resolved.has_value());
  EXPECT_FALSE(closed.connected.has_value());
  EXPECT_EQ(closed.ip_address, "");
  const HopTrace unknown = TraceOf("http://registry.invalid");
  EXPECT_FALSE(unknown.resolved.has_value());
  EXPECT_FALSE(unknown.connected.has_value());
}

TEST_F(HttpHopTlsTest, TracesTheCertificateOfTheServer) {
  ScriptedServer server(Respond(KeptResponse("text")), {.certificate = &server_});
  const HopTrace trusted = TraceOf(server.Url("/", "https"), {.ca_file = File("ca.pem", ca_.Pem())});
  ASSERT_NE(trusted.certificate, nullptr);
  EXPECT_TRUE(trusted.secured.has_value());
  EXPECT_EQ(trusted.certificate->problem, "");
  EXPECT_THAT(trusted.certificate->hosts, ElementsAre("127.0.0.1"));
  EXPECT_LT(trusted.certificate->not_before, absl::Now());
  EXPECT_GT(trusted.certificate->not_after, absl::Now());
  EXPECT_LT(trusted.certificate->not_after, absl::Now() + absl::Hours(25));

  const HopTrace untrusted = TraceOf(server.Url("/", "https"));
  ASSERT_NE(untrusted.certificate, nullptr);
  EXPECT_EQ(untrusted.ip_address, "127.0.0.1");
  EXPECT_FALSE(untrusted.secured.has_value());
  EXPECT_NE(untrusted.certificate->problem, "");
  EXPECT_EQ(untrusted.certificate->not_after, trusted.certificate->not_after);
}

}  // namespace
}  // namespace entrepot::outbound
