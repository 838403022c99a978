#include "services/runtime/grpc/connection_acceptor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"
#include "services/core/time/eventually.h"
#include "services/status/status_matchers.h"

namespace entrepot::runtime {
namespace {

class ConnectionAcceptorTest : public ::testing::Test {
 protected:
  void Start(size_t connections_max, const std::string& address = "127.0.0.1") {
    ASSERT_OK_AND_ASSIGN(acceptor_, ConnectionAcceptor::Create(address, 0, connections_max, registry_));
    acceptor_->Run([this](OwnedFd fd) {
      absl::MutexLock lock(&mutex_);
      served_.push_back(std::move(fd));
    });
  }

  // Connects from an address of the loopback network.
  OwnedFd Connect(const char* from = "127.0.0.1") {
    OwnedFd fd(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, from, &address.sin_addr);
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    ::inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    address.sin_port = htons(acceptor_->port());
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    return fd;
  }

  // Waits until the acceptor closes the connection.
  static bool IsClosed(const OwnedFd& fd) {
    char byte;
    return ::recv(fd.get(), &byte, 1, 0) <= 0;
  }

  size_t served() {
    absl::MutexLock lock(&mutex_);
    return served_.size();
  }
  void CloseOne() {
    absl::MutexLock lock(&mutex_);
    served_.pop_back();
  }

  bool HasMetric(const std::string& line) {
    return absl::StrContains(prometheus::TextSerializer().Serialize(registry_->Collect()), line + "\n");
  }

  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  absl::Mutex mutex_;
  std::vector<OwnedFd> served_;
  std::unique_ptr<ConnectionAcceptor> acceptor_;
};

TEST_F(ConnectionAcceptorTest, AddressHasAQuarter) {
  Start(8);
  const OwnedFd first = Connect();
  const OwnedFd second = Connect();
  EXPECT_TRUE(IsClosed(Connect()));
  const OwnedFd other = Connect("127.0.0.2");
  EXPECT_TRUE(Eventually([this] { return served() == 3; }));
  EXPECT_TRUE(HasMetric("entrepot_grpc_server_connections_refused_total{reason=\"address\"} 1"));
  EXPECT_TRUE(HasMetric("entrepot_grpc_server_connections_refused_total{reason=\"sum\"} 0"));
}

TEST_F(ConnectionAcceptorTest, HasABoundInSum) {
  Start(4);
  std::vector<OwnedFd> clients;
  for (const char* address : {"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"}) clients.push_back(Connect(address));
  EXPECT_TRUE(Eventually([this] { return served() == 4; }));
  EXPECT_TRUE(IsClosed(Connect("127.0.0.5")));
  EXPECT_TRUE(HasMetric("entrepot_grpc_server_connections_refused_total{reason=\"sum\"} 1"));
  EXPECT_TRUE(HasMetric("entrepot_grpc_server_connections_max 4"));
}

TEST_F(ConnectionAcceptorTest, ForgetsConnectionsThatTheServerHasClosed) {
  Start(4);
  OwnedFd client = Connect();
  EXPECT_TRUE(Eventually([this] { return served() == 1; }));
  EXPECT_TRUE(Eventually([this] { return HasMetric("entrepot_grpc_server_connections 1"); }));
  CloseOne();
  EXPECT_TRUE(Eventually([this] { return HasMetric("entrepot_grpc_server_connections 0"); }));
  client = Connect();
  EXPECT_TRUE(Eventually([this] { return served() == 1; }));
}

TEST_F(ConnectionAcceptorTest, StopClosesThePort) {
  Start(4);
  const uint16_t port = acceptor_->port();
  acceptor_->Stop();
  // The port is free again.
  EXPECT_TRUE(ConnectionAcceptor::Create("127.0.0.1", port, 4, std::make_shared<prometheus::Registry>()).ok());
}

TEST_F(ConnectionAcceptorTest, PortInUseIsAnError) {
  Start(4);
  const auto second =
      ConnectionAcceptor::Create("127.0.0.1", acceptor_->port(), 4, std::make_shared<prometheus::Registry>());
  EXPECT_THAT(second, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(second.status().message(),
            absl::StrCat("cannot listen on 127.0.0.1:", acceptor_->port(), " for gRPC: Address already in use"));
}

TEST(ConnectionAcceptorStartTest, AddressThatIsNotLocalIsAnError) {
  const auto acceptor = ConnectionAcceptor::Create("192.0.2.1", 1, 4, std::make_shared<prometheus::Registry>());
  EXPECT_THAT(acceptor, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(absl::StrContains(acceptor.status().message(), "192.0.2.1:1"));
}

}  // namespace
}  // namespace entrepot::runtime
