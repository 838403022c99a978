#include "services/runtime/grpc/grpc_credentials.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/runtime/grpc/grpc_channel.h"
#include "services/runtime/grpc/grpc_server.h"
#include "services/runtime/grpc/grpc_test_service.h"
#include "services/runtime/tls/test_certificates.h"
#include "services/status/status_matchers.h"

namespace entrepot::runtime {
namespace {

using ::entrepot::testing::v1::CallRequest;
using ::entrepot::testing::v1::CallResponse;
using ::entrepot::testing::v1::CallService;
using ::testing::HasSubstr;

using Names = std::vector<std::string>;

class GrpcCredentialsTest : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(directory_); }

  // The files of a certificate for `names`.
  config::v1::PeerTls Files(const std::string& who, const TestCa& signer, const Names& names, const TestCa& trusted) {
    config::v1::PeerTls tls;
    tls.set_certificate_file(absl::StrCat(directory_, "/", who, ".crt"));
    tls.set_private_key_file(absl::StrCat(directory_, "/", who, ".key"));
    tls.set_ca_file(absl::StrCat(directory_, "/", who, "-ca.crt"));
    Write(tls, signer, names, trusted);
    return tls;
  }

  static void Write(const config::v1::PeerTls& tls, const TestCa& signer, const Names& names, const TestCa& trusted) {
    const TestCa::Issued issued = signer.Issue(names);
    ReplaceFile(tls.certificate_file(), issued.certificate);
    ReplaceFile(tls.private_key_file(), issued.private_key);
    ReplaceFile(tls.ca_file(), trusted.Pem());
  }

  void StartServer(config::v1::PeerTls tls, const Names& peers) {
    config::v1::Endpoint endpoint;
    endpoint.set_address("127.0.0.1");
    for (const std::string& peer : peers) tls.add_peers(peer);
    *endpoint.mutable_tls() = tls;
    ASSERT_OK_AND_ASSIGN(server_, GrpcServer::Start(endpoint, {&service_}, registry_));
  }

  std::shared_ptr<grpc::Channel> Channel(config::v1::PeerTls tls, const Names& peers) {
    config::v1::Service service;
    service.set_target(server_->address());
    for (const std::string& peer : peers) tls.add_peers(peer);
    *service.mutable_tls() = tls;
    return MakeChannel(service, registry_);
  }

  static grpc::Status Call(const std::shared_ptr<grpc::Channel>& channel) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(30)));
    CallResponse response;
    return CallService::NewStub(channel)->Call(&context, CallRequest(), &response);
  }

  grpc::Status CallWith(const config::v1::PeerTls& tls, const Names& peers = {"blob"}) {
    return Call(Channel(tls, peers));
  }

  const std::string directory_ =
      absl::StrCat(::testing::TempDir(), "/", ::testing::UnitTest::GetInstance()->current_test_info()->name());
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  const TestCa ca_;
  GrpcTestService service_;
  std::unique_ptr<GrpcServer> server_;
};

TEST_F(GrpcCredentialsTest, ServesPeersByDnsNameOrUri) {
  StartServer(Files("server", ca_, {"DNS:blob"}, ca_), {"gateway", "spiffe://registry/manifest"});
  const grpc::Status by_dns = CallWith(Files("dns", ca_, {"DNS:other", "DNS:gateway"}, ca_));
  EXPECT_TRUE(by_dns.ok()) << by_dns.error_message();
  const grpc::Status by_uri = CallWith(Files("uri", ca_, {"URI:spiffe://registry/manifest"}, ca_));
  EXPECT_TRUE(by_uri.ok()) << by_uri.error_message();
}

TEST_F(GrpcCredentialsTest, RefusesOtherNamesAndReportsThem) {
  StartServer(Files("server", ca_, {"DNS:blob"}, ca_), {"gateway"});
  ::testing::internal::CaptureStderr();
  const grpc::Status status = CallWith(Files("client", ca_, {"DNS:gateway.evil", "URI:spiffe://x/gateway"}, ca_));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED) << status.error_message();
  EXPECT_THAT(status.error_message(), HasSubstr("gateway.evil, spiffe://x/gateway"));
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("peer refused"));
  EXPECT_THAT(log, HasSubstr("\"names\":\"gateway.evil, spiffe://x/gateway\""));
  EXPECT_EQ(CallWith(Files("nameless", ca_, {}, ca_)).error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(GrpcCredentialsTest, IgnoresTheCommonName) {
  StartServer(Files("server", ca_, {"DNS:blob"}, ca_), {"leaf"});
  EXPECT_EQ(CallWith(Files("client", ca_, {"DNS:gateway"}, ca_)).error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(GrpcCredentialsTest, RefusesACertificateOfAnotherCa) {
  StartServer(Files("server", ca_, {"DNS:blob"}, ca_), {"gateway"});
  const TestCa other;
  EXPECT_EQ(CallWith(Files("client", other, {"DNS:gateway"}, ca_)).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcCredentialsTest, RefusesAClientWithoutTlsOrWithoutACertificate) {
  StartServer(Files("server", ca_, {"DNS:blob"}, ca_), {"gateway"});
  config::v1::Service plain;
  plain.set_target(server_->address());
  EXPECT_EQ(Call(MakeChannel(plain, registry_)).error_code(), grpc::StatusCode::UNAVAILABLE);

  grpc::SslCredentialsOptions without_certificate;
  without_certificate.pem_root_certs = ca_.Pem();
  grpc::ChannelArguments arguments;
  arguments.SetSslTargetNameOverride("blob");
  EXPECT_EQ(Call(grpc::CreateCustomChannel(server_->address(), grpc::SslCredentials(without_certificate), arguments))
                .error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcCredentialsTest, AClientChecksTheServer) {
  StartServer(Files("server", ca_, {"DNS:blob", "IP:127.0.0.1"}, ca_), {"gateway"});
  const config::v1::PeerTls client = Files("client", ca_, {"DNS:gateway"}, ca_);
  EXPECT_TRUE(CallWith(client, {"manifest", "blob"}).ok());
  // The target's host.
  EXPECT_TRUE(CallWith(client, {}).ok());
  EXPECT_EQ(CallWith(client, {"manifest"}).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(CallWith(client, {"leaf"}).error_code(), grpc::StatusCode::UNAVAILABLE);
  const TestCa other;
  EXPECT_EQ(CallWith(Files("distrustful", ca_, {"DNS:gateway"}, other)).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcCredentialsTest, AClientRefusesAServerThatIsNotTheTargetsHost) {
  StartServer(Files("server", ca_, {"DNS:blob", "IP:127.0.0.2"}, ca_), {"gateway"});
  EXPECT_EQ(CallWith(Files("client", ca_, {"DNS:gateway"}, ca_), {}).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcCredentialsTest, DoesNotStartWithUnusableFiles) {
  config::v1::Endpoint endpoint;
  endpoint.set_address("127.0.0.1");
  *endpoint.mutable_tls() = Files("server", ca_, {"DNS:blob"}, ca_);
  ReplaceFile(endpoint.tls().private_key_file(), TestCa().Issue({"DNS:blob"}).private_key);
  const auto mismatched = GrpcServer::Start(endpoint, {}, registry_);
  EXPECT_THAT(mismatched, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(mismatched.status().message()), HasSubstr("server.key is not the key of the certificate"));
  Write(endpoint.tls(), ca_, {"DNS:blob"}, ca_);
  ReplaceFile(endpoint.tls().ca_file(), "nothing");
  const auto without_ca = GrpcServer::Start(endpoint, {}, registry_);
  EXPECT_THAT(std::string(without_ca.status().message()),
              HasSubstr("server-ca.crt contains no usable PEM certificate"));
}

// Introduces a new CA as operators do: first trust it in addition to the old one, then use it, then drop the old one.
TEST_F(GrpcCredentialsTest, RotatesWhileCallsRun) {
  const TestCa next;
  const config::v1::PeerTls server = Files("server", ca_, {"DNS:blob"}, ca_);
  const config::v1::PeerTls client = Files("client", ca_, {"DNS:gateway"}, ca_);
  StartServer(server, {"gateway"});
  const std::shared_ptr<grpc::Channel> old_connection = Channel(client, {"blob"});
  ASSERT_TRUE(Call(old_connection).ok());

  // Peers of the new CA are refused until the server has read its certificate.
  const config::v1::PeerTls newcomer = Files("newcomer", next, {"DNS:gateway"}, ca_);
  ASSERT_EQ(CallWith(newcomer).error_code(), grpc::StatusCode::UNAVAILABLE);
  ReplaceFile(server.ca_file(), ca_.Pem() + next.Pem());
  EXPECT_TRUE(Eventually([&] {
    EXPECT_TRUE(Call(old_connection).ok());
    return CallWith(newcomer).ok();
  }));

  Write(server, next, {"DNS:blob"}, next);
  const config::v1::PeerTls late = Files("late", next, {"DNS:gateway"}, next);
  EXPECT_TRUE(Eventually([&] {
    EXPECT_TRUE(Call(old_connection).ok());
    return CallWith(late).ok();
  }));
  EXPECT_TRUE(Call(old_connection).ok());
  EXPECT_EQ(CallWith(client).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcCredentialsTest, ABrokenPairLeavesTheOldOne) {
  const config::v1::PeerTls server = Files("server", ca_, {"DNS:blob"}, ca_);
  const config::v1::PeerTls client = Files("client", ca_, {"DNS:gateway"}, ca_);
  StartServer(server, {"gateway"});
  ReplaceFile(server.certificate_file(), ca_.Issue({"DNS:blob"}).certificate);
  std::string log;
  EXPECT_TRUE(Eventually([&] {
    ::testing::internal::CaptureStderr();
    EXPECT_TRUE(CallWith(client).ok());
    log += ::testing::internal::GetCapturedStderr();
    return absl::StrContains(log, "new peer certificate refused, the old one stays");
  })) << log;
  EXPECT_TRUE(CallWith(client).ok());
}

}  // namespace
}  // namespace entrepot::runtime
