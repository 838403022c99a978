#include "services/runtime/grpc/health_probe.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpcpp/generic/generic_stub.h"
#include "services/runtime/grpc/grpc_deadline.h"

namespace entrepot::runtime {
namespace {

// HealthCheckResponse{status: SERVING}.
constexpr absl::string_view kServing = "\x08\x01";

struct Call {
  explicit Call(const std::shared_ptr<grpc::Channel>& channel) : stub(channel) {}

  grpc::GenericStub stub;
  grpc::ClientContext context;
  grpc::ByteBuffer request;
  grpc::ByteBuffer response;
};

// HealthCheckRequest{service: `service`}. Its name must be shorter than 128 bytes.
std::string RequestFor(absl::string_view service) {
  if (service.empty()) return "";
  return absl::StrCat("\x0a", std::string(1, static_cast<char>(service.size())), service);
}

std::string Bytes(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  return buffer.DumpToSingleSlice(&slice).ok() ? std::string(slice.begin(), slice.end()) : "";
}

}  // namespace

std::shared_ptr<grpc::ClientContext> StartHealthProbe(const std::shared_ptr<grpc::Channel>& channel,
                                                      const HealthProbe& probe, HealthProbeDone done) {
  auto call = std::make_shared<Call>(channel);
  const std::string message = RequestFor(probe.service);
  const grpc::Slice slice(message.data(), message.size());
  call->request = grpc::ByteBuffer(&slice, 1);
  call->context.set_wait_for_ready(probe.wait_for_connection);
  GrpcDeadline(probe.patience).Limit(&call->context);
  call->stub.UnaryCall(&call->context, "/grpc.health.v1.Health/Check", {}, &call->request, &call->response,
                       [call, done = std::move(done)](const grpc::Status& status) {
                         if (status.error_code() == grpc::StatusCode::NOT_FOUND) return done(grpc::Status::OK, true);
                         done(status, status.ok() && Bytes(call->response) == kServing);
                       });
  return {call, &call->context};
}

}  // namespace entrepot::runtime
