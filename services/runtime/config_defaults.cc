#include "services/runtime/config_defaults.h"

#include <string>

namespace entrepot::runtime {
namespace {

constexpr char kLoopback[] = "127.0.0.1";

google::protobuf::Duration Seconds(int64_t seconds) {
  google::protobuf::Duration duration;
  duration.set_seconds(seconds);
  return duration;
}

}  // namespace

void FillDefaults(uint32_t default_port, config::v1::Endpoint* endpoint) {
  if (endpoint->address().empty()) endpoint->set_address(kLoopback);
  if (endpoint->port() == 0) endpoint->set_port(default_port);
}

void FillDefaults(config::v1::PublicEndpoint* endpoint) {
  if (endpoint->address().empty()) endpoint->set_address(kLoopback);
  if (endpoint->port() == 0) endpoint->set_port(5000);
}

void FillDefaults(config::v1::Limits* limits) {
  if (limits->header_bytes_max() == 0) limits->set_header_bytes_max(32 * 1024);
  if (limits->uri_bytes_max() == 0) limits->set_uri_bytes_max(8 * 1024);
  if (limits->manifest_bytes_max() == 0) limits->set_manifest_bytes_max(4 * 1024 * 1024);
  if (!limits->has_idle_timeout()) *limits->mutable_idle_timeout() = Seconds(75);
  if (!limits->has_header_timeout()) *limits->mutable_header_timeout() = Seconds(15);
  if (limits->minimum_rate_bytes_per_second() == 0) limits->set_minimum_rate_bytes_per_second(1024);
  if (!limits->has_minimum_rate_window()) *limits->mutable_minimum_rate_window() = Seconds(30);
  if (limits->connections_max() == 0) limits->set_connections_max(4096);
}

void FillDefaults(config::v1::Uploads* uploads) {
  if (!uploads->has_session_lifetime()) *uploads->mutable_session_lifetime() = Seconds(24 * 60 * 60);
  if (uploads->sessions_max() == 0) uploads->set_sessions_max(10000);
}

void FillDefaults(config::v1::Log* log) {
  if (log->level().empty()) log->set_level("info");
}

void FillDefaults(config::v1::Service* service) {
  if (!service->has_deadline()) *service->mutable_deadline() = Seconds(10);
}

void FillDrainTimeout(google::protobuf::Duration* drain_timeout) { *drain_timeout = Seconds(25); }

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

}  // namespace entrepot::runtime
