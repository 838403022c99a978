#include "gateway/backends/grpc/channel_readiness.h"

#include <future>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "grpcpp/client_context.h"
#include "grpcpp/generic/generic_stub.h"
#include "services/runtime/grpc/grpc_deadline.h"

namespace entrepot::gateway {
namespace {

constexpr absl::Duration kPatience = absl::Milliseconds(800);

// HealthCheckResponse{status: SERVING}.
constexpr absl::string_view kServing = "\x08\x01";

std::string Bytes(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  return buffer.DumpToSingleSlice(&slice).ok() ? std::string(slice.begin(), slice.end()) : "";
}

}  // namespace

absl::Status CheckChannelReady(grpc::Channel& channel, absl::string_view service) {
  grpc::GenericStub stub(channel.shared_from_this());
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  runtime::GrpcDeadline(kPatience).Limit(&context);
  const grpc::Slice nothing("");
  const grpc::ByteBuffer request(&nothing, 1);
  grpc::ByteBuffer response;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", {}, &request, &response,
                 [&done](grpc::Status status) { done.set_value(std::move(status)); });
  const grpc::Status status = done.get_future().get();
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return absl::UnavailableError(absl::StrCat(service, ": cannot connect, or no response"));
  }
  if (!status.ok()) return absl::UnavailableError(absl::StrCat(service, ": ", status.error_message()));
  if (Bytes(response) != kServing) return absl::UnavailableError(absl::StrCat(service, ": shutting down"));
  return absl::OkStatus();
}

}  // namespace entrepot::gateway
