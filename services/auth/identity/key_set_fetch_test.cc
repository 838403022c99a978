#include "services/auth/identity/key_set_fetch.h"

#include <optional>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/read_until.hpp"
#include "boost/asio/ssl/context.hpp"
#include "boost/asio/ssl/stream.hpp"
#include "boost/asio/write.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/runtime/tls/test_certificates.h"
#include "services/status/status_matchers.h"

namespace entrepot::auth {
namespace {

namespace asio = boost::asio;

using testing::HasSubstr;
using testing::StartsWith;

// Answers one request, on a loopback address, with bytes.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer, const runtime::TestCa::Issued* certificate = nullptr)
      : answer_(std::move(answer)) {
    if (certificate != nullptr) UseCertificate(*certificate);
    thread_ = std::thread([this] { Serve(); });
  }
  ~OneAnswer() {
    // Where nobody has come yet, somebody does.
    boost::system::error_code ignored;
    asio::ip::tcp::socket socket(io_);
    socket.connect(acceptor_.local_endpoint(), ignored);
    socket.close(ignored);
    thread_.join();
  }

  std::string Url(absl::string_view scheme) const {
    return absl::StrCat(scheme, "://127.0.0.1:", acceptor_.local_endpoint().port(), "/keys?a=b");
  }
  // What it was asked.
  const std::string& request() {
    if (thread_.joinable()) thread_.join();
    thread_ = std::thread([] {});
    return request_;
  }

 private:
  void UseCertificate(const runtime::TestCa::Issued& certificate) {
    tls_.emplace(asio::ssl::context::tls_server);
    tls_->use_certificate_chain(asio::buffer(certificate.certificate));
    tls_->use_private_key(asio::buffer(certificate.private_key), asio::ssl::context::pem);
  }

  void Serve() {
    boost::system::error_code error;
    asio::ip::tcp::socket socket(io_);
    acceptor_.accept(socket, error);
    if (error) return;
    if (!tls_.has_value()) return Answer(socket);
    asio::ssl::stream<asio::ip::tcp::socket> stream(std::move(socket), *tls_);
    stream.handshake(asio::ssl::stream_base::server, error);
    if (!error) Answer(stream);
  }

  template <typename Stream>
  void Answer(Stream& stream) {
    boost::system::error_code error;
    asio::read_until(stream, asio::dynamic_buffer(request_), "\r\n\r\n", error);
    if (!error) asio::write(stream, asio::buffer(answer_), error);
  }

  const std::string answer_;
  std::string request_;
  asio::io_context io_;
  asio::ip::tcp::acceptor acceptor_{io_, {asio::ip::address_v4::loopback(), 0}};
  std::optional<asio::ssl::context> tls_;
  std::thread thread_;
};

std::string Ok(absl::string_view body) {
  return absl::StrCat("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ", body.size(),
                      "\r\nConnection: close\r\n\r\n", body);
}

TEST(KeySetFetchTest, Fetches) {
  OneAnswer server(Ok(R"({"keys":[]})"));
  EXPECT_THAT(FetchKeySet(server.Url("http"), ""), IsOkAndHolds(R"({"keys":[]})"));
  EXPECT_THAT(server.request(), StartsWith("GET /keys?a=b HTTP/1.1\r\n"));
}

TEST(KeySetFetchTest, BelievesWhomItIsToldTo) {
  const runtime::TestCa ca;
  const runtime::TestCa other_ca;
  const kv::TemporaryDirectory directory;
  const std::string ca_file = directory.path() + "/ca.pem";
  runtime::ReplaceFile(ca_file, ca.Pem());
  const std::string other_ca_file = directory.path() + "/other.pem";
  runtime::ReplaceFile(other_ca_file, other_ca.Pem());
  const runtime::TestCa::Issued good = ca.Issue({"IP:127.0.0.1"});
  const runtime::TestCa::Issued other_name = ca.Issue({"DNS:other.example"});

  OneAnswer server(Ok("text"), &good);
  EXPECT_THAT(FetchKeySet(server.Url("https"), ca_file), IsOkAndHolds("text"));
  OneAnswer of_another_ca(Ok("text"), &good);
  EXPECT_THAT(FetchKeySet(of_another_ca.Url("https"), other_ca_file), StatusIs(absl::StatusCode::kUnavailable));
  OneAnswer unknown_to_the_system(Ok("text"), &good);
  EXPECT_THAT(FetchKeySet(unknown_to_the_system.Url("https"), ""), StatusIs(absl::StatusCode::kUnavailable));
  OneAnswer of_another_name(Ok("text"), &other_name);
  EXPECT_THAT(FetchKeySet(of_another_name.Url("https"), ca_file), StatusIs(absl::StatusCode::kUnavailable));
  OneAnswer without_tls(Ok("text"));
  EXPECT_THAT(FetchKeySet(without_tls.Url("https"), ca_file), StatusIs(absl::StatusCode::kUnavailable));
}

TEST(KeySetFetchTest, FollowsNoRedirect) {
  OneAnswer target(Ok("text"));
  OneAnswer server(absl::StrCat("HTTP/1.1 302 Found\r\nLocation: ", target.Url("http"),
                                "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
  const auto text = FetchKeySet(server.Url("http"), "");
  EXPECT_THAT(text, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(text.status().message()), HasSubstr("answers 302, not 200"));
}

TEST(KeySetFetchTest, TakesAWhole200OfABoundedSizeOnly) {
  const std::string large(256 * 1024 + 1, ' ');
  const std::string answers[] = {
      "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
      "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
      Ok(large),
      absl::StrCat("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", large),
      "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{}",
      absl::StrCat("HTTP/1.1 200 OK\r\nA: ", std::string(70'000, 'a'), "\r\n\r\n"),
      "hello\r\n\r\n",
      "",
  };
  for (const std::string& answer : answers) {
    OneAnswer server(answer);
    EXPECT_THAT(FetchKeySet(server.Url("http"), ""), StatusIs(absl::StatusCode::kUnavailable)) << answer.substr(0, 80);
  }
  OneAnswer server(Ok(large.substr(1)));
  EXPECT_OK(FetchKeySet(server.Url("http"), ""));
}

TEST(KeySetFetchTest, AsksNobodyButWhoMayBeAsked) {
  for (const std::string url : {"file:///etc/passwd", "http://192.0.2.1/keys", "gopher://127.0.0.1/", ""}) {
    EXPECT_THAT(FetchKeySet(url, ""), StatusIs(absl::StatusCode::kInvalidArgument)) << url;
  }
}

}  // namespace
}  // namespace entrepot::auth
