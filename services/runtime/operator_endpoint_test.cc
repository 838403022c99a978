#include "services/runtime/operator_endpoint.h"

#include <sys/eventfd.h>
#include <sys/resource.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "boost/asio/connect.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/read.hpp"
#include "boost/asio/write.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/counter.h"
#include "prometheus/registry.h"
#include "services/core/files/owned_fd.h"
#include "services/core/time/eventually.h"
#include "services/runtime/process_metrics.h"
#include "services/status/status_matchers.h"

namespace entrepot::runtime {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

config::v1::Endpoint Loopback(uint32_t port = 0) {
  config::v1::Endpoint endpoint;
  endpoint.set_address("127.0.0.1");
  endpoint.set_port(port);
  return endpoint;
}

class OperatorEndpointTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(endpoint_, OperatorEndpoint::Start(Loopback(), [this] {
                           return ReadinessReport{.readiness = readiness_, .complete = true, .text = "the verdict\n"};
                         }));
  }

  tcp::socket Connect() {
    tcp::socket socket(io_);
    socket.connect(tcp::endpoint(asio::ip::address_v4::loopback(), endpoint_->port()));
    return socket;
  }

  // All bytes that the server sends until the connection ends.
  static std::string ReadAll(tcp::socket& socket) {
    std::string answer;
    boost::system::error_code error;
    asio::read(socket, asio::dynamic_buffer(answer), error);
    return answer;
  }

  std::string Send(const std::string& request) {
    tcp::socket socket = Connect();
    // The server may respond and close before everything is written.
    boost::system::error_code ignored;
    asio::write(socket, asio::buffer(request), ignored);
    return ReadAll(socket);
  }

  std::string Get(const std::string& target) { return Send("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n"); }

  asio::io_context io_;
  std::atomic<Readiness> readiness_{Readiness::kAll};
  std::unique_ptr<OperatorEndpoint> endpoint_;
};

TEST_F(OperatorEndpointTest, Healthz) {
  const std::string answer = Get("/healthz");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\nok\n"));
  EXPECT_THAT(Get("/healthz?verbose"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(OperatorEndpointTest, ReadyzFailsIfNothingCanBePulled) {
  for (const Readiness readiness : {Readiness::kAll, Readiness::kPulls}) {
    readiness_ = readiness;
    const std::string answer = Get("/readyz");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(answer, HasSubstr("\r\n\r\nthe verdict\n"));
  }
  readiness_ = Readiness::kNone;
  const std::string answer = Get("/readyz");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\nthe verdict\n"));
  // Liveness does not depend on readiness.
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(OperatorEndpointTest, ServesMetricsForAsLongAsTheyLive) {
  auto registry = std::make_shared<prometheus::Registry>();
  prometheus::BuildCounter().Name("apples_total").Help("Apples.").Register(*registry).Add({}).Increment(3);
  const auto process = std::make_shared<ProcessMetrics>("entrepot-test");
  endpoint_->AddCollectable(registry);
  endpoint_->AddCollectable(process);
  const std::string answer = Get("/metrics");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_THAT(answer, HasSubstr("# TYPE apples_total counter\napples_total 3\n"));
  EXPECT_THAT(answer, HasSubstr("process_resident_memory_bytes "));
  registry.reset();
  EXPECT_THAT(Get("/metrics"), Not(HasSubstr("apples_total")));
}

class HangingCollectable : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override {
    if (!called.HasBeenNotified()) called.Notify();
    leave.WaitForNotification();
    return {};
  }

  mutable absl::Notification called;
  absl::Notification leave;
};

TEST_F(OperatorEndpointTest, AHangingCollectionOfMetricsDelaysNothingElse) {
  auto hanging = std::make_shared<HangingCollectable>();
  endpoint_->AddCollectable(hanging);
  std::vector<tcp::socket> waiting;
  for (int i = 0; i < 8; ++i) {
    waiting.push_back(Connect());
    asio::write(waiting.back(), asio::buffer(std::string("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")));
  }
  ASSERT_TRUE(hanging->called.WaitForNotificationWithTimeout(absl::Seconds(30)));
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Get("/readyz"), StartsWith("HTTP/1.1 200 "));
  // All of the eight have arrived once a further one is refused.
  EXPECT_TRUE(Eventually([&] {
    tcp::socket& last = waiting.emplace_back(Connect());
    asio::write(last, asio::buffer(std::string("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")));
    last.non_blocking(true);
    for (int i = 0; i < 100; ++i) {
      char byte = 0;
      boost::system::error_code error;
      if (last.read_some(asio::buffer(&byte, 1), error) == 1) return true;
      EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200 "));
    }
    return false;
  }));
  hanging->leave.Notify();
}

TEST_F(OperatorEndpointTest, RefusesOtherPathsAndMethods) {
  EXPECT_THAT(Get("/"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Get("/healthz/"), StartsWith("HTTP/1.1 404 "));
  for (const char* method : {"POST", "HEAD", "DELETE", "BREW"}) {
    const std::string answer = Send(absl::StrCat(method, " /metrics HTTP/1.1\r\nHost: x\r\n\r\n"));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 ")) << method;
    EXPECT_THAT(answer, HasSubstr("\r\nAllow: GET\r\n")) << method;
  }
}

TEST_F(OperatorEndpointTest, RefusesInvalidHttp) {
  EXPECT_THAT(Send("nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(Send("GET /healthz HTTP/9.9\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(OperatorEndpointTest, LimitsTheHeader) {
  const auto with_field = [this](size_t size) {
    return Send("GET /healthz HTTP/1.1\r\nX: " + std::string(size, 'x') + "\r\n\r\n");
  };
  EXPECT_THAT(with_field(8000), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(with_field(8192), StartsWith("HTTP/1.1 431 "));
}

TEST_F(OperatorEndpointTest, IdleConnectionsDoNotBlockOthers) {
  std::vector<tcp::socket> silent;
  for (int i = 0; i < 60; ++i) silent.push_back(Connect());
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(OperatorEndpointTest, ConnectionsBeyondTheLimitTakeThePlaceOfTheLongestSilentOnes) {
  std::vector<tcp::socket> silent;
  for (int i = 0; i < 200; ++i) silent.push_back(Connect());
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(ReadAll(silent.front()), "");
  // The last one is served still.
  asio::write(silent.back(), asio::buffer(std::string("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")));
  EXPECT_THAT(ReadAll(silent.back()), HasSubstr("\nentrepot_operator_connections_shed_total 13"));
}

TEST_F(OperatorEndpointTest, AnswersWithoutFreeDescriptors) {
  const auto process = std::make_shared<ProcessMetrics>("entrepot-test");
  endpoint_->AddCollectable(process);
  tcp::socket client(io_);
  client.open(tcp::v4());
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{256, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  std::vector<OwnedFd> all;
  do {
    all.emplace_back(::eventfd(0, EFD_CLOEXEC));
  } while (all.back().get() >= 0);
  client.connect(tcp::endpoint(asio::ip::address_v4::loopback(), endpoint_->port()));
  asio::write(client, asio::buffer(std::string("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")));
  const std::string answer = ReadAll(client);
  all.clear();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer, HasSubstr("process_open_fds "));
}

TEST_F(OperatorEndpointTest, ServesManyAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 20; ++j) good += absl::StartsWith(Get("/readyz"), "HTTP/1.1 200 ");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 160);
}

TEST_F(OperatorEndpointTest, StopsWhileConnectionsAreOpen) {
  tcp::socket silent = Connect();
  const uint16_t port = endpoint_->port();
  endpoint_.reset();
  EXPECT_EQ(ReadAll(silent), "");
  // The port is free again at once.
  EXPECT_OK(OperatorEndpoint::Start(Loopback(port), [] { return ReadinessReport(); }));
}

TEST_F(OperatorEndpointTest, APortInUseIsAnError) {
  const auto second = OperatorEndpoint::Start(Loopback(endpoint_->port()), [] { return ReadinessReport(); });
  EXPECT_THAT(second, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(second.status().message(),
            absl::StrCat("cannot listen on 127.0.0.1:", endpoint_->port(), ": Address already in use"));
}

}  // namespace
}  // namespace entrepot::runtime
