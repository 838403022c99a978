#include "services/runtime/tls/certificate_reloader.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/ssl/stream.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/runtime/tls/test_certificates.h"
#include "services/runtime/tls/test_x509.h"
#include "services/status/status_matchers.h"

namespace entrepot::runtime {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using ::testing::HasSubstr;

// Creates a self-signed certificate.
TestCertificate NewCertificate(EVP_PKEY* key, const std::string& name) {
  TestCertificate certificate = NewTestCertificate(key, name);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  EXPECT_GT(X509_sign(certificate.get(), key, EVP_sha256()), 0);
  return certificate;
}

// What a client sees of a server.
struct Handshake {
  boost::system::error_code error;
  std::string common_name;
  std::string version;
  std::string cipher;
  std::string alpn;
};

class CertificateReloaderTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(directory_);
    files_.set_certificate_file(directory_ + "/tls.crt");
    files_.set_private_key_file(directory_ + "/tls.key");
    WritePair("first");
  }

  void WritePair(const std::string& name) {
    const TestKey key = NewTestKey();
    ReplaceFile(files_.certificate_file(), PemOf(NewCertificate(key.get(), name).get()));
    ReplaceFile(files_.private_key_file(), PemOf(key.get()));
  }

  void Create() {
    ASSERT_OK_AND_ASSIGN(reloader_, CertificateReloader::Create(files_, registry_, absl::ZeroDuration()));
  }

  std::string CreationError() {
    const auto reloader = CertificateReloader::Create(files_, registry_, absl::ZeroDuration());
    EXPECT_THAT(reloader, StatusIs(absl::StatusCode::kInvalidArgument));
    return std::string(reloader.status().message());
  }

  // Connects with the context that new connections use.
  Handshake Connect(const std::function<void(SSL_CTX*)>& configure_client = [](SSL_CTX*) {}) {
    asio::io_context io;
    tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
    const std::shared_ptr<ssl::context> server_context = reloader_->context();
    std::thread server([&] {
      ssl::stream<tcp::socket> stream(acceptor.accept(), *server_context);
      boost::system::error_code ignored;
      stream.handshake(ssl::stream_base::server, ignored);
      char byte;
      stream.read_some(asio::buffer(&byte, 1), ignored);
    });
    ssl::context client_context(ssl::context::tls_client);
    configure_client(client_context.native_handle());
    Handshake seen;
    {
      ssl::stream<tcp::socket> stream(io, client_context);
      stream.next_layer().connect(acceptor.local_endpoint());
      stream.handshake(ssl::stream_base::client, seen.error);
      if (!seen.error) Describe(stream.native_handle(), &seen);
    }
    server.join();
    return seen;
  }

  static void Describe(SSL* connection, Handshake* seen) {
    const TestCertificate certificate(SSL_get1_peer_certificate(connection));
    char name[64];
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name, sizeof(name));
    seen->common_name = name;
    seen->version = SSL_get_version(connection);
    seen->cipher = SSL_get_cipher(connection);
    const unsigned char* alpn;
    unsigned int size;
    SSL_get0_alpn_selected(connection, &alpn, &size);
    seen->alpn.assign(reinterpret_cast<const char*>(alpn), size);
  }

  double Expiry() const { return registry_->Collect().at(0).metric.at(0).gauge.value; }

  const std::string directory_ =
      absl::StrCat(testing::TempDir(), "/", testing::UnitTest::GetInstance()->current_test_info()->name());
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  config::v1::TlsCertificate files_;
  std::unique_ptr<CertificateReloader> reloader_;
};

TEST_F(CertificateReloaderTest, ServesTheCertificate) {
  Create();
  const Handshake seen = Connect();
  ASSERT_FALSE(seen.error) << seen.error.message();
  EXPECT_EQ(seen.common_name, "first");
  EXPECT_EQ(seen.version, "TLSv1.3");
}

TEST_F(CertificateReloaderTest, ServesTls12WithForwardSecrecy) {
  Create();
  const Handshake seen = Connect([](SSL_CTX* client) { SSL_CTX_set_max_proto_version(client, TLS1_2_VERSION); });
  ASSERT_FALSE(seen.error) << seen.error.message();
  EXPECT_EQ(seen.version, "TLSv1.2");
  EXPECT_THAT(seen.cipher, testing::StartsWith("ECDHE-ECDSA-"));
}

TEST_F(CertificateReloaderTest, RefusesOlderVersionsAndOtherCiphers) {
  Create();
  EXPECT_TRUE(Connect([](SSL_CTX* client) {
                SSL_CTX_set_security_level(client, 0);
                SSL_CTX_set_min_proto_version(client, TLS1_VERSION);
                SSL_CTX_set_max_proto_version(client, TLS1_1_VERSION);
              }).error);
  EXPECT_TRUE(Connect([](SSL_CTX* client) {
                SSL_CTX_set_max_proto_version(client, TLS1_2_VERSION);
                SSL_CTX_set_cipher_list(client, "ECDHE-ECDSA-AES128-SHA");
              }).error);
}

TEST_F(CertificateReloaderTest, NegotiatesHttp11) {
  Create();
  const auto offer = [](SSL_CTX* client) {
    const std::string protocols = "\x02h2\x08http/1.1";
    SSL_CTX_set_alpn_protos(client, reinterpret_cast<const unsigned char*>(protocols.data()),
                            static_cast<unsigned int>(protocols.size()));
  };
  EXPECT_EQ(Connect(offer).alpn, "http/1.1");
  EXPECT_TRUE(Connect([](SSL_CTX* client) {
                SSL_CTX_set_alpn_protos(client, reinterpret_cast<const unsigned char*>("\x02h2"), 3);
              }).error);
}

TEST_F(CertificateReloaderTest, NewConnectionsGetTheNewCertificate) {
  Create();
  const std::shared_ptr<ssl::context> old = reloader_->context();
  WritePair("second");
  EXPECT_EQ(Connect().common_name, "first");
  EXPECT_OK(reloader_->ReloadIfChanged());
  EXPECT_EQ(Connect().common_name, "second");
  EXPECT_NE(reloader_->context(), old);
}

TEST_F(CertificateReloaderTest, UnchangedFilesKeepTheContext) {
  Create();
  const std::shared_ptr<ssl::context> context = reloader_->context();
  // Writes the same contents again.
  std::filesystem::copy_file(files_.certificate_file(), files_.certificate_file() + ".copy");
  std::filesystem::rename(files_.certificate_file() + ".copy", files_.certificate_file());
  EXPECT_OK(reloader_->ReloadIfChanged());
  EXPECT_EQ(reloader_->context(), context);
}

TEST_F(CertificateReloaderTest, FollowsASymbolicLinkAsKubernetesReplacesIt) {
  const std::string one = directory_ + "/one", two = directory_ + "/two", link = directory_ + "/link";
  for (const std::string& version : {one, two}) {
    std::filesystem::create_directory(version);
    files_.set_certificate_file(version + "/tls.crt");
    files_.set_private_key_file(version + "/tls.key");
    WritePair(version == one ? "one" : "two");
  }
  std::filesystem::create_directory_symlink("one", link);
  files_.set_certificate_file(link + "/tls.crt");
  files_.set_private_key_file(link + "/tls.key");
  Create();
  EXPECT_EQ(Connect().common_name, "one");
  std::filesystem::create_directory_symlink("two", link + ".new");
  std::filesystem::rename(link + ".new", link);
  EXPECT_OK(reloader_->ReloadIfChanged());
  EXPECT_EQ(Connect().common_name, "two");
}

TEST_F(CertificateReloaderTest, AnUnusablePairLeavesTheOldOneAndIsLoggedOnce) {
  Create();
  testing::internal::CaptureStderr();
  ReplaceFile(files_.certificate_file(), "not a certificate");
  EXPECT_THAT(reloader_->ReloadIfChanged(), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_OK(reloader_->ReloadIfChanged());
  EXPECT_EQ(Connect().common_name, "first");
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
  EXPECT_THAT(log, HasSubstr("the old one stays"));
  EXPECT_THAT(log, HasSubstr(files_.certificate_file()));
  WritePair("third");
  EXPECT_OK(reloader_->ReloadIfChanged());
  EXPECT_EQ(Connect().common_name, "third");
}

TEST_F(CertificateReloaderTest, AMissingFileLeavesTheOldPair) {
  Create();
  std::filesystem::remove(files_.private_key_file());
  const absl::Status status = reloader_->ReloadIfChanged();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(status.message()), HasSubstr(files_.private_key_file()));
  EXPECT_EQ(Connect().common_name, "first");
}

TEST_F(CertificateReloaderTest, FilesMayBeReplacedOneAfterTheOther) {
  Create();
  const TestKey key = NewTestKey();
  ReplaceFile(files_.certificate_file(), PemOf(NewCertificate(key.get(), "second").get()));
  const absl::Status status = reloader_->ReloadIfChanged();
  EXPECT_EQ(status.message(), absl::StrCat(files_.private_key_file(), " is not the key of the certificate in ",
                                           files_.certificate_file()));
  ReplaceFile(files_.private_key_file(), PemOf(key.get()));
  EXPECT_OK(reloader_->ReloadIfChanged());
  EXPECT_EQ(Connect().common_name, "second");
}

TEST_F(CertificateReloaderTest, NamesUnusableFiles) {
  const TestKey key = NewTestKey();
  const std::string certificate = PemOf(NewCertificate(key.get(), "x").get());

  ReplaceFile(files_.private_key_file(), PemOf(NewTestKey().get()));
  EXPECT_THAT(CreationError(), HasSubstr("tls.key is not the key of the certificate in "));
  ReplaceFile(files_.certificate_file(), "");
  EXPECT_THAT(CreationError(), HasSubstr("tls.crt contains no usable PEM certificate"));
  ReplaceFile(files_.certificate_file(), certificate);
  ReplaceFile(files_.private_key_file(), certificate);
  EXPECT_THAT(CreationError(), HasSubstr("tls.key contains no usable PEM private key"));
  // OpenSSL must not ask the terminal.
  ReplaceFile(files_.private_key_file(), PemOf(key.get(), "password"));
  EXPECT_THAT(CreationError(), HasSubstr("tls.key contains no usable PEM private key"));
  std::filesystem::remove(files_.certificate_file());
  EXPECT_THAT(CreationError(), HasSubstr("tls.crt: No such file or directory"));
}

TEST_F(CertificateReloaderTest, SendsTheChain) {
  const TestKey root_key = NewTestKey(), leaf_key = NewTestKey();
  const TestCertificate root = NewCertificate(root_key.get(), "root");
  TestCertificate leaf = NewCertificate(leaf_key.get(), "leaf");
  X509_set_issuer_name(leaf.get(), X509_get_subject_name(root.get()));
  X509_sign(leaf.get(), root_key.get(), EVP_sha256());
  ReplaceFile(files_.certificate_file(), PemOf(leaf.get()) + PemOf(root.get()));
  ReplaceFile(files_.private_key_file(), PemOf(leaf_key.get()));
  Create();
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get_extra_chain_certs(reloader_->context()->native_handle(), &chain);
  EXPECT_EQ(sk_X509_num(chain), 1);
  EXPECT_EQ(Connect().common_name, "leaf");
}

TEST_F(CertificateReloaderTest, ShowsTheExpiry) {
  Create();
  const double now = absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch());
  EXPECT_NEAR(Expiry(), now + 24 * 60 * 60, 60);
  const TestKey key = NewTestKey();
  const TestCertificate certificate = NewCertificate(key.get(), "short");
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 60 * 60);
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  ReplaceFile(files_.certificate_file(), PemOf(certificate.get()));
  ReplaceFile(files_.private_key_file(), PemOf(key.get()));
  EXPECT_OK(reloader_->ReloadIfChanged());
  EXPECT_NEAR(Expiry(), now + 60 * 60, 60);
}

TEST_F(CertificateReloaderTest, WatchesOnItsOwnThread) {
  ASSERT_OK_AND_ASSIGN(reloader_, CertificateReloader::Create(files_, registry_, absl::Milliseconds(1)));
  const std::shared_ptr<ssl::context> first = reloader_->context();
  testing::internal::CaptureStderr();
  WritePair("second");
  ASSERT_TRUE(Eventually([&] { return reloader_->context() != first; }));
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(Connect().common_name, "second");
}

TEST_F(CertificateReloaderTest, ManyThreadsMayReloadAndConnect) {
  Create();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 50; ++j) {
        EXPECT_NE(reloader_->context(), nullptr);
        reloader_->ReloadIfChanged().IgnoreError();
      }
    });
  }
  testing::internal::CaptureStderr();
  for (int i = 0; i < 10; ++i) WritePair(absl::StrCat("pair", i));
  for (std::thread& thread : threads) thread.join();
  testing::internal::GetCapturedStderr();
  EXPECT_OK(reloader_->ReloadIfChanged());
  EXPECT_EQ(Connect().common_name, "pair9");
}

}  // namespace
}  // namespace entrepot::runtime
