#include "services/runtime/grpc/channel_readiness.h"

#include <future>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "grpcpp/client_context.h"
#include "grpcpp/generic/generic_stub.h"
#include "services/runtime/grpc/grpc_deadline.h"
#include "services/runtime/grpc/grpc_transport.h"
#include "services/status/status_macros.h"

namespace entrepot::runtime {
namespace {

constexpr absl::Duration kPatience = absl::Milliseconds(800);

// HealthCheckResponse{status: SERVING}.
constexpr absl::string_view kServing = "\x08\x01";
// HealthCheckRequest{}: of the whole server.
constexpr absl::string_view kWholeServer = "";

std::string Bytes(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  return buffer.DumpToSingleSlice(&slice).ok() ? std::string(slice.begin(), slice.end()) : "";
}

absl::StatusOr<bool> IsServing(const std::shared_ptr<grpc::Channel>& channel, absl::string_view request_bytes) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  GrpcDeadline(kPatience).Limit(&context);
  const grpc::Slice slice(request_bytes.data(), request_bytes.size());
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", {}, &request, &response,
                 [&done](grpc::Status status) { done.set_value(std::move(status)); });
  const grpc::Status status = done.get_future().get();
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return absl::UnavailableError("cannot connect, or no response");
  }
  // The service has not decided yet.
  if (status.error_code() == grpc::StatusCode::NOT_FOUND) return true;
  if (!status.ok()) return absl::UnavailableError(status.error_message());
  return Bytes(response) == kServing;
}

}  // namespace

absl::Status CheckChannelReady(const std::shared_ptr<grpc::Channel>& channel) {
  ASSIGN_OR_RETURN(const bool serving, IsServing(channel, kWholeServer));
  return serving ? absl::OkStatus() : absl::UnavailableError("not ready, or shutting down");
}

absl::Status CheckChannelWritable(const std::shared_ptr<grpc::Channel>& channel) {
  // HealthCheckRequest{service: kPushHealthService}.
  const std::string request =
      absl::StrCat("\x0a", std::string(1, static_cast<char>(kPushHealthService.size())), kPushHealthService);
  ASSIGN_OR_RETURN(const bool serving, IsServing(channel, request));
  return serving ? absl::OkStatus() : absl::UnavailableError("cannot write now; its /readyz has the reason");
}

}  // namespace entrepot::runtime
