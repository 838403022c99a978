#include "services/runtime/grpc/grpc_callback_threads.h"

#include <memory>

#include "absl/synchronization/notification.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"
#include "grpcpp/support/status.h"
#include "grpcpp/support/stub_options.h"

namespace entrepot::runtime {
namespace {

// A channel holds the threads from its first call with a callback on. This one has no credentials, so that gRPC fails
// its calls without a connection.
std::shared_ptr<grpc::Channel> MakeUsedChannel() {
  std::shared_ptr<grpc::Channel> channel = grpc::CreateChannel("none", nullptr);
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  const grpc::Slice empty;
  const grpc::ByteBuffer request(&empty, 1);
  grpc::ByteBuffer response;
  absl::Notification done;
  stub.UnaryCall(&context, "/none/None", grpc::StubOptions(), &request, &response,
                 [&done](const grpc::Status& /*status*/) { done.Notify(); });
  done.WaitForNotification();
  return channel;
}

}  // namespace

void KeepGrpcCallbackThreads() {
  // Never deleted. The pointer is volatile so that the compiler keeps it; otherwise the channel would count as leaked.
  static std::shared_ptr<grpc::Channel>* volatile channel = new std::shared_ptr<grpc::Channel>(MakeUsedChannel());
  (void)channel;
}

}  // namespace entrepot::runtime
