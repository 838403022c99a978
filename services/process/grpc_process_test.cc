#include "services/process/grpc_process.h"

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "entrepot/testing/v1/call.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/runtime/grpc/channel_readiness.h"
#include "services/runtime/grpc/grpc_test_service.h"
#include "services/status/status_macros.h"
#include "services/status/status_matchers.h"

namespace entrepot::process {
namespace {

constexpr absl::Duration kLong = absl::Seconds(30);

// What a test sees of a service, and decides.
struct Observed {
  absl::Status ready = absl::OkStatus();
  bool drain_began = false;
  bool destroyed = false;
  runtime::Executor* executor = nullptr;
};

class TestHost final : public HostedService {
 public:
  explicit TestHost(Observed* observed) : observed_(*observed) {}
  ~TestHost() override { observed_.destroyed = true; }

  grpc::Service* grpc_service() override { return &service_; }
  std::vector<runtime::HealthCheck> Checks() override {
    return {{.name = "test", .without = runtime::Readiness::kNone, .check = [this] { return observed_.ready; }}};
  }
  void BeginDrain() override { observed_.drain_began = true; }

 private:
  Observed& observed_;
  runtime::GrpcTestService service_;
};

class GrpcProcessTest : public ::testing::Test {
 protected:
  GrpcProcessTest() {
    options_.data_directory = directory_.path();
    options_.endpoint.set_address("127.0.0.1");
    options_.executor_threads = 2;
  }

  absl::StatusOr<std::unique_ptr<runtime::RunningService>> Start() {
    return StartGrpcProcess(
        options_, context_,
        [this](const ProcessResources& resources) -> absl::StatusOr<std::unique_ptr<HostedService>> {
          observed_.executor = resources.executor;
          RETURN_IF_ERROR(made_);
          return std::make_unique<TestHost>(&observed_);
        });
  }

  static grpc::Status Call(const std::string& address) {
    const auto stub =
        ::entrepot::testing::v1::CallService::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    ::entrepot::testing::v1::CallResponse response;
    return stub->Call(&context, {}, &response);
  }

  kv::TemporaryDirectory directory_;
  GrpcProcessOptions options_;
  runtime::ServiceContext context_ = {.registry = std::make_shared<prometheus::Registry>(),
                                      .add_collectable = [this](const auto&) { ++collectables_; }};
  int collectables_ = 0;
  absl::Status made_ = absl::OkStatus();
  Observed observed_;
};

TEST_F(GrpcProcessTest, ServesOverAKvOfItsOwn) {
  ASSERT_OK_AND_ASSIGN(const auto process, Start());
  ASSERT_EQ(process->Addresses().size(), 1u);
  EXPECT_EQ(process->Addresses()[0].first, "grpc");
  EXPECT_TRUE(Call(process->Addresses()[0].second).ok());
  EXPECT_TRUE(std::filesystem::exists(directory_.path() + "/kv"));
  EXPECT_EQ(collectables_, 2);
}

TEST_F(GrpcProcessTest, IsReadyIfTheServiceIs) {
  ASSERT_OK_AND_ASSIGN(const auto process, Start());
  const std::vector<runtime::HealthCheck> checks = process->Checks();
  ASSERT_EQ(checks.size(), 2u);
  EXPECT_OK(checks[0].check());
  observed_.ready = absl::UnavailableError("the disk is full");
  EXPECT_THAT(checks[0].check(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(checks[1].name, "metadata store writes");
  EXPECT_EQ(checks[1].without, runtime::Readiness::kPulls);
  EXPECT_OK(checks[1].check());
}

TEST_F(GrpcProcessTest, ShowsItsReadinessToOtherProcesses) {
  ASSERT_OK_AND_ASSIGN(const auto process, Start());
  const auto channel = grpc::CreateChannel(process->Addresses()[0].second, grpc::InsecureChannelCredentials());
  EXPECT_OK(runtime::CheckChannelReady(channel));
  EXPECT_OK(runtime::CheckChannelWritable(channel));
  process->ShowReadiness(runtime::Readiness::kPulls);
  EXPECT_OK(runtime::CheckChannelReady(channel));
  EXPECT_THAT(runtime::CheckChannelWritable(channel), StatusIs(absl::StatusCode::kUnavailable));
  process->ShowReadiness(runtime::Readiness::kNone);
  EXPECT_THAT(runtime::CheckChannelReady(channel), StatusIs(absl::StatusCode::kUnavailable));
  process->ShowReadiness(runtime::Readiness::kAll);
  EXPECT_OK(runtime::CheckChannelReady(channel));
  EXPECT_OK(runtime::CheckChannelWritable(channel));
}

TEST_F(GrpcProcessTest, ServesCallsAfterItHasAnnouncedTheDrain) {
  ASSERT_OK_AND_ASSIGN(const auto process, Start());
  const std::string address = process->Addresses()[0].second;
  process->AnnounceDrain();
  const auto channel = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  EXPECT_THAT(runtime::CheckChannelReady(channel), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(Call(address).ok());
  EXPECT_FALSE(observed_.drain_began);
}

TEST_F(GrpcProcessTest, DrainRefusesNewCalls) {
  ASSERT_OK_AND_ASSIGN(const auto process, Start());
  const std::string address = process->Addresses()[0].second;
  EXPECT_FALSE(observed_.drain_began);
  process->Drain(Deadline::After(kLong));
  EXPECT_TRUE(observed_.drain_began);
  EXPECT_EQ(Call(address).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcProcessTest, JobsEndBeforeTheServiceIsDestroyed) {
  ASSERT_OK_AND_ASSIGN(auto process, Start());
  absl::Notification started;
  std::atomic<bool> destroyed_too_soon = true;
  observed_.executor->Post([&] {
    started.Notify();
    absl::Notification never;
    never.WaitForNotificationWithTimeout(absl::Milliseconds(20));
    destroyed_too_soon = observed_.destroyed;
  });
  ASSERT_TRUE(started.WaitForNotificationWithTimeout(kLong));
  process.reset();
  EXPECT_FALSE(destroyed_too_soon);
  EXPECT_TRUE(observed_.destroyed);
}

TEST_F(GrpcProcessTest, ReturnsTheErrorOfTheService) {
  made_ = absl::FailedPreconditionError("another format");
  EXPECT_THAT(Start(), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(GrpcProcessTest, DestroysTheServiceIfTheServerCannotListen) {
  options_.endpoint.set_address("192.0.2.1");
  EXPECT_THAT(Start(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(observed_.destroyed);
}

}  // namespace
}  // namespace entrepot::process
