#include "gateway/backends/channel_readiness.h"

#include <chrono>

#include "absl/strings/str_cat.h"

namespace entrepot::gateway {
namespace {

constexpr std::chrono::milliseconds kPatience(800);

}  // namespace

absl::Status CheckChannelReady(grpc::Channel& channel, absl::string_view service) {
  if (channel.WaitForConnected(std::chrono::system_clock::now() + kPatience)) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(service, ": not connected"));
}

}  // namespace entrepot::gateway
