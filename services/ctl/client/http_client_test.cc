#include "services/ctl/client/http_client.h"

#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/http.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/runtime/version.h"
#include "services/status/status_matchers.h"

namespace entrepot::ctl {
namespace {

namespace http = boost::beast::http;
using boost::asio::ip::tcp;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Serves one request on a loopback port.
class OneAnswerServer {
 public:
  explicit OneAnswerServer(http::response<http::string_body> answer)
      : acceptor_(context_, {boost::asio::ip::address_v4::loopback(), 0}),
        thread_([this, answer = std::move(answer)]() mutable { Serve(std::move(answer)); }) {}
  ~OneAnswerServer() { request(); }

  std::string url() const { return absl::StrCat("http://127.0.0.1:", acceptor_.local_endpoint().port()); }
  // Waits for the request.
  const http::request<http::string_body>& request() {
    if (thread_.joinable()) thread_.join();
    return request_;
  }

 private:
  void Serve(http::response<http::string_body> answer) {
    tcp::socket socket = acceptor_.accept();
    boost::beast::flat_buffer buffer;
    http::read(socket, buffer, request_);
    answer.prepare_payload();
    http::write(socket, answer);
  }

  boost::asio::io_context context_;
  tcp::acceptor acceptor_;
  http::request<http::string_body> request_;
  std::thread thread_;
};

http::response<http::string_body> Answer(http::status status, const std::string& body) {
  http::response<http::string_body> answer(status, 11);
  answer.body() = body;
  return answer;
}

TEST(HttpClientTest, SendsAJsonBodyWithAToken) {
  OneAnswerServer server(Answer(http::status::ok, "{\"a\": 1}"));
  OutboundHttpClient client;
  ASSERT_OK_AND_ASSIGN(
      const HttpAnswer answer,
      client.Send({.method = "POST", .url = server.url() + "/x?y=z", .token = "t0k3n", .body = "{\"b\": 2}"}));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "{\"a\": 1}");
  const auto& request = server.request();
  EXPECT_EQ(request.method_string(), "POST");
  EXPECT_EQ(request.target(), "/x?y=z");
  EXPECT_EQ(request["Authorization"], "Bearer t0k3n");
  EXPECT_EQ(request["Content-Type"], "application/json");
  EXPECT_EQ(request["User-Agent"], absl::StrCat("entrepotctl/", runtime::kVersion));
  EXPECT_EQ(request.count("Expect"), 0u);
  EXPECT_EQ(request.body(), "{\"b\": 2}");
}

TEST(HttpClientTest, SendsBasicCredentials) {
  OneAnswerServer server(Answer(http::status::ok, ""));
  OutboundHttpClient client;
  EXPECT_OK(client.Send({.url = server.url() + "/token", .username = "admin", .password = "s3cret"}).status());
  EXPECT_EQ(server.request().method(), http::verb::get);
  EXPECT_EQ(server.request()["Authorization"], "Basic YWRtaW46czNjcmV0");
}

TEST(HttpClientTest, SendsOtherMethodsWithoutABody) {
  OneAnswerServer server(Answer(http::status::accepted, ""));
  OutboundHttpClient client;
  ASSERT_OK_AND_ASSIGN(const HttpAnswer answer, client.Send({.method = "DELETE", .url = server.url() + "/r"}));
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(server.request().method(), http::verb::delete_);
  EXPECT_EQ(server.request().count("Authorization"), 0u);
}

TEST(HttpClientTest, TakesAnErrorStatusAsAnAnswer) {
  OneAnswerServer server(Answer(http::status::forbidden, "no"));
  OutboundHttpClient client;
  ASSERT_OK_AND_ASSIGN(const HttpAnswer answer, client.Send({.url = server.url()}));
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.body, "no");
}

TEST(HttpClientTest, FollowsNoRedirect) {
  http::response<http::string_body> redirect = Answer(http::status::found, "");
  redirect.set("Location", "http://127.0.0.1:1/");
  OneAnswerServer server(redirect);
  OutboundHttpClient client;
  ASSERT_OK_AND_ASSIGN(const HttpAnswer answer, client.Send({.url = server.url(), .token = "t"}));
  EXPECT_EQ(answer.status, 302);
}

TEST(HttpClientTest, ErrorNamesTheAddressAndTheReasonIfThereIsNoAnswer) {
  OutboundHttpClient client;
  const absl::Status refused = client.Send({.url = "http://127.0.0.1:1/token?scope=x"}).status();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(refused.message()), AllOf(HasSubstr("no answer from http://127.0.0.1:1/token: "),
                                                    HasSubstr("onnect"), Not(HasSubstr("scope"))));
  EXPECT_THAT(client.Send({.url = "file:///etc/hostname"}), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace entrepot::ctl
