#include <memory>
#include <utility>

#include "absl/synchronization/notification.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/runtime/grpc/grpc_channel.h"

namespace entrepot::runtime {
namespace {

// Without KeepGrpcCallbackThreads() the thread of the callback ends itself, and the process aborts.
TEST(GrpcCallbackThreadsTest, CallbackMayLetGoOfTheLastChannel) {
  config::v1::Service service;
  service.set_target("127.0.0.1:1");
  std::shared_ptr<grpc::Channel> channel = MakeChannel(service, std::make_shared<prometheus::Registry>());
  auto stub = std::make_unique<grpc::GenericStub>(channel);
  auto context = std::make_unique<grpc::ClientContext>();
  const grpc::Slice empty;
  const grpc::ByteBuffer request(&empty, 1);
  grpc::ByteBuffer response;
  absl::Notification released;
  absl::Notification done;
  stub->UnaryCall(context.get(), "/none/None", grpc::StubOptions(), &request, &response,
                  [&](const grpc::Status& status) {
                    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
                    released.WaitForNotification();
                    context = nullptr;
                    channel = nullptr;
                    done.Notify();
                  });
  stub = nullptr;
  released.Notify();
  done.WaitForNotification();
}

}  // namespace
}  // namespace entrepot::runtime
