#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "boost/asio/buffer.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/ssl.hpp"
#include "boost/asio/write.hpp"
#include "gateway/http/testing/raw_client.h"
#include "gateway/http/testing/test_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::gateway::http {
namespace {

namespace asio = boost::asio;
using ::testing::HasSubstr;
using testing::Milliseconds;
using testing::RawClient;
using ::testing::StartsWith;
using testing::TestServer;

std::string Folder() {
  const char* const folder = std::getenv("TEST_TMPDIR");
  return folder == nullptr ? "/tmp" : folder;
}

// Writes a self-signed certificate for `name` and its key. Each file is replaced atomically.
void WritePair(const config::v1::TlsCertificate& files, const std::string& name) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* const subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(certificate.get(), subject);
  ASSERT_GT(X509_sign(certificate.get(), key.get(), EVP_sha256()), 0);
  const auto write = [](const std::string& path, const auto& put) {
    const std::string fresh = path + ".new";
    std::FILE* const file = std::fopen(fresh.c_str(), "w");
    ASSERT_NE(file, nullptr);
    EXPECT_EQ(put(file), 1);
    std::fclose(file);
    ASSERT_EQ(std::rename(fresh.c_str(), path.c_str()), 0);
  };
  write(files.private_key_file(),
        [&](std::FILE* file) { return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  write(files.certificate_file(), [&](std::FILE* file) { return PEM_write_X509(file, certificate.get()); });
}

class TlsClient {
 public:
  // `connected` is called between TCP's handshake and TLS's.
  explicit TlsClient(uint16_t port, const std::function<void()>& connected = {})
      : context_(asio::ssl::context::tls_client), stream_(io_, context_) {
    const unsigned char protocols[] = "\x02h2\x08http/1.1";
    SSL_set_alpn_protos(stream_.native_handle(), protocols, sizeof(protocols) - 1);
    stream_.next_layer().connect({asio::ip::address_v4::loopback(), port}, error_);
    if (connected) connected();
    if (!error_) stream_.handshake(asio::ssl::stream_base::client, error_);
  }

  bool connected() const { return !error_; }

  std::string Peer() {
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(stream_.native_handle()),
                                                                  X509_free);
    char name[256] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name, sizeof(name));
    return name;
  }

  std::string Protocol() {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(stream_.native_handle(), &name, &size);
    return std::string(reinterpret_cast<const char*>(name), size);
  }

  // The head and the body of the response. With a pause, between the bytes and what follows them.
  std::pair<std::string, std::string> Ask(const std::string& bytes, int pause_milliseconds = 0,
                                          const std::string& after_pause = "") {
    asio::write(stream_, asio::buffer(bytes), error_);
    std::this_thread::sleep_for(std::chrono::milliseconds(pause_milliseconds));
    if (!after_pause.empty()) asio::write(stream_, asio::buffer(after_pause), error_);
    size_t end;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos && Fill()) {
    }
    if (end == std::string::npos) return {};
    const std::string head = received_.substr(0, end);
    received_.erase(0, end + 4);
    size_t length = 0;
    const size_t field = head.find("Content-Length: ");
    if (field != std::string::npos) {
      const size_t begin = field + 16;
      (void)absl::SimpleAtoi(head.substr(begin, head.find('\r', begin) - begin), &length);
    }
    while (received_.size() < length && Fill()) {
    }
    const std::string body = received_.substr(0, length);
    received_.erase(0, body.size());
    return {head, body};
  }

  // Whether the server ends the connection with TLS's close_notify.
  bool ReceiveEnd() {
    char byte;
    stream_.read_some(asio::buffer(&byte, 1), error_);
    return received_.empty() && error_ == asio::error::eof;
  }

 private:
  bool Fill() {
    std::string more(65536, '\0');
    const size_t read = stream_.read_some(asio::buffer(more), error_);
    received_.append(more, 0, read);
    return read > 0;
  }

  asio::io_context io_;
  asio::ssl::context context_;
  asio::ssl::stream<asio::ip::tcp::socket> stream_;
  boost::system::error_code error_;
  std::string received_;
};

std::string Get(absl::string_view target, absl::string_view fields = "") {
  return absl::StrCat("GET ", target, " HTTP/1.1\r\nHost: r\r\n", fields, "\r\n");
}

class ServerTlsTest : public ::testing::Test {
 protected:
  ServerTlsTest() {
    options_ = TestServer::DefaultOptions();
    files_ = options_.endpoint.mutable_tls();
    files_->set_certificate_file(absl::StrCat(Folder(), "/server_tls_test.", ::getpid(), ".crt"));
    files_->set_private_key_file(absl::StrCat(Folder(), "/server_tls_test.", ::getpid(), ".key"));
    WritePair(*files_, "first");
  }
  ~ServerTlsTest() override {
    ::unlink(files_->certificate_file().c_str());
    ::unlink(files_->private_key_file().c_str());
  }

  Server::Options options_;
  config::v1::TlsCertificate* files_ = nullptr;
  std::thread drain_;
};

TEST_F(ServerTlsTest, SendsAllKindsOfBodies) {
  TestServer server(options_);
  EXPECT_THAT(server.server().Address(), StartsWith("https://127.0.0.1:"));
  TlsClient client(server.port());
  ASSERT_TRUE(client.connected());
  EXPECT_EQ(client.Protocol(), "http/1.1");
  EXPECT_THAT(client.Ask(Get("/describe")).second, HasSubstr("tls=yes"));
  const std::string& contents = server.handler().file_contents();
  EXPECT_TRUE(client.Ask(Get(absl::StrCat("/file?1-", contents.size()))).second == contents.substr(1));
  EXPECT_TRUE(client.Ask(Get(absl::StrCat("/cold-file?1-", contents.size()))).second == contents.substr(1));
  EXPECT_TRUE(client.Ask(Get("/stream?1000000")).second == testing::Digits(1'000'000));
  const std::string post =
      absl::StrCat("POST /echo HTTP/1.1\r\nHost: r\r\nContent-Length: ", contents.size(), "\r\n\r\n", contents);
  EXPECT_TRUE(client.Ask(post).second == contents);
}

TEST_F(ServerTlsTest, EndsConnectionsWithCloseNotify) {
  TestServer server(options_);
  TlsClient client(server.port());
  EXPECT_THAT(client.Ask(Get("/describe", "Connection: close\r\n")).first, HasSubstr("Connection: close"));
  EXPECT_TRUE(client.ReceiveEnd());
}

TEST_F(ServerTlsTest, LetsTheClientReadRefusals) {
  TestServer server(options_);
  TlsClient client(server.port());
  EXPECT_THAT(client.Ask("nonsense\r\n").first, StartsWith("HTTP/1.1 400 "));
  TlsClient sender(server.port());
  const std::string large =
      absl::StrCat("PUT /refuse HTTP/1.1\r\nHost: r\r\nContent-Length: 5000000\r\n\r\n", std::string(5'000'000, 'x'));
  EXPECT_THAT(sender.Ask(large).first, StartsWith("HTTP/1.1 401 "));
}

TEST_F(ServerTlsTest, UsesANewCertificateForNewConnections) {
  TestServer server(options_);
  TlsClient old(server.port());
  EXPECT_EQ(old.Peer(), "first");
  WritePair(*files_, "second");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  std::string seen;
  while ((seen = TlsClient(server.port()).Peer()) != "second" && std::chrono::steady_clock::now() < deadline) {
  }
  EXPECT_EQ(seen, "second");
  EXPECT_THAT(old.Ask(Get("/describe")).first, StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTlsTest, CutsOffASlowHandshake) {
  options_.limits.mutable_header_timeout()->CopyFrom(Milliseconds(50));
  TestServer server(options_);
  RawClient silent(server.port());
  EXPECT_TRUE(silent.ReceiveEnd());
  RawClient slow(server.port());
  ASSERT_TRUE(slow.Send("\x16\x03\x01"));
  EXPECT_TRUE(slow.ReceiveEnd());
}

TEST_F(ServerTlsTest, AnswersPlainHttpWith400) {
  TestServer server(options_);
  for (const char* method : {"GET", "PATCH", "delete"}) {
    RawClient plain(server.port());
    ASSERT_TRUE(plain.Send(absl::StrCat(method, " /describe HTTP/1.1\r\nHost: r\r\n\r\n")));
    const testing::RawResponse response = plain.Receive().value_or(testing::RawResponse());
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(response.body,
              "the request came as plain http, and this port speaks https: use https:// in the registry's URL");
    EXPECT_EQ(response.Field("connection"), "close");
    EXPECT_TRUE(plain.ReceiveEnd());
  }
  RawClient head(server.port());
  ASSERT_TRUE(head.Send("HEAD / HTTP/1.1\r\nHost: r\r\n\r\n"));
  EXPECT_EQ(head.Receive(/*is_head=*/true).value_or(testing::RawResponse()).status, 400);
  EXPECT_TRUE(head.ReceiveEnd());
  EXPECT_EQ(server.handler().handled(), 0);
}

TEST_F(ServerTlsTest, AnswersGarbageWithAnEnd) {
  TestServer server(options_);
  RawClient client(server.port());
  ASSERT_TRUE(client.Send(std::string("\0\1\2\3\4\5\6\7", 8)));
  EXPECT_FALSE(client.Receive().has_value());
}

TEST_F(ServerTlsTest, ForgivesASilenceInBothDirections) {
  options_.limits.mutable_minimum_rate_window()->CopyFrom(Milliseconds(1));
  options_.limits.mutable_silence_timeout()->CopyFrom(Milliseconds(30'000));
  TestServer server(options_);
  TlsClient client(server.port());
  EXPECT_EQ(
      client.Ask("PUT /echo HTTP/1.1\r\nHost: r\r\nContent-Length: 6\r\n\r\nabc", /*pause_milliseconds=*/300, "def")
          .second,
      "abcdef");
  EXPECT_TRUE(client.Ask(Get("/stream?50000000"), /*pause_milliseconds=*/300).second == testing::Digits(50'000'000));
}

TEST_F(ServerTlsTest, ClosesSilentConnectionsForNewOnes) {
  options_.limits.set_connections_max(4);
  TestServer server(options_);
  std::vector<std::unique_ptr<RawClient>> silent;
  for (int i = 0; i < 8; ++i) silent.push_back(std::make_unique<RawClient>(server.port()));
  std::vector<std::unique_ptr<TlsClient>> idle;
  for (int i = 0; i < 8; ++i) {
    idle.push_back(std::make_unique<TlsClient>(server.port()));
    EXPECT_THAT(idle.back()->Ask(Get("/describe")).first, StartsWith("HTTP/1.1 200 "));
  }
}

TEST_F(ServerTlsTest, FinishesAHandshakeAndItsRequestDuringADrain) {
  TestServer server(options_);
  TlsClient idle(server.port());
  EXPECT_THAT(idle.Ask(Get("/describe")).first, StartsWith("HTTP/1.1 200 "));
  TlsClient client(server.port(), [&] {
    std::thread([&] { server.server().Drain(Deadline::After(absl::Seconds(10))); }).swap(drain_);
    EXPECT_TRUE(idle.ReceiveEnd());  // The drain has begun.
  });
  EXPECT_TRUE(client.connected());
  EXPECT_THAT(client.Ask(Get("/describe")).first, StartsWith("HTTP/1.1 200 "));
  drain_.join();
}

TEST_F(ServerTlsTest, ClosesAnIdleConnection) {
  options_.limits.mutable_idle_timeout()->CopyFrom(Milliseconds(50));
  TestServer server(options_);
  TlsClient client(server.port());
  EXPECT_THAT(client.Ask(Get("/describe")).first, StartsWith("HTTP/1.1 200 "));
  EXPECT_TRUE(client.ReceiveEnd());
}

TEST_F(ServerTlsTest, DoesNotStartWithoutItsCertificate) {
  options_.endpoint.mutable_tls()->set_certificate_file("/nowhere.crt");
  testing::TestHandler handler;
  const auto server = Server::Start(options_, &handler, std::make_shared<prometheus::Registry>());
  EXPECT_TRUE(absl::IsInvalidArgument(server.status()));
  EXPECT_THAT(std::string(server.status().message()), HasSubstr("/nowhere.crt"));
}

}  // namespace
}  // namespace entrepot::gateway::http
