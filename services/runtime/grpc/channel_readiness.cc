#include "services/runtime/grpc/channel_readiness.h"

#include <future>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/runtime/grpc/grpc_transport.h"
#include "services/runtime/grpc/health_probe.h"
#include "services/status/status_macros.h"

namespace entrepot::runtime {
namespace {

constexpr absl::Duration kPatience = absl::Milliseconds(800);
constexpr absl::string_view kWholeServer = "";

absl::StatusOr<bool> IsServing(const std::shared_ptr<grpc::Channel>& channel, absl::string_view service) {
  std::promise<std::pair<grpc::Status, bool>> done;
  StartHealthProbe(channel, {.service = service, .patience = kPatience, .wait_for_connection = true},
                   [&done](const grpc::Status& status, bool serving) {
                     done.set_value({status, serving});
                   });
  const auto [status, serving] = done.get_future().get();
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return absl::UnavailableError("cannot connect, or no response");
  }
  if (!status.ok()) return absl::UnavailableError(status.error_message());
  return serving;
}

}  // namespace

absl::Status CheckChannelReady(const std::shared_ptr<grpc::Channel>& channel) {
  ASSIGN_OR_RETURN(const bool serving, IsServing(channel, kWholeServer));
  return serving ? absl::OkStatus() : absl::UnavailableError("not ready, or shutting down");
}

absl::Status CheckChannelWritable(const std::shared_ptr<grpc::Channel>& channel) {
  ASSIGN_OR_RETURN(const bool serving, IsServing(channel, kPushHealthService));
  return serving ? absl::OkStatus() : absl::UnavailableError("cannot write now; its /readyz has the reason");
}

}  // namespace entrepot::runtime
