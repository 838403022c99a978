#include "services/runtime/config/config_defaults.h"

#include <algorithm>
#include <cstdint>
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

void FillGrpcDefaults(config::v1::Endpoint* endpoint) {
  FillDefaults(/*default_port=*/0, endpoint);
  if (endpoint->connections_max() == 0) endpoint->set_connections_max(1024);
}

void FillDefaults(config::v1::PublicEndpoint* endpoint) {
  if (endpoint->address().empty()) endpoint->set_address(kLoopback);
  if (endpoint->port() == 0) endpoint->set_port(5000);
  if (endpoint->forwarded_header().empty()) endpoint->set_forwarded_header("x-forwarded-for");
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
  if (!limits->has_silence_timeout()) *limits->mutable_silence_timeout() = Seconds(60);
  if (limits->connections_per_address_max() == 0) {
    limits->set_connections_per_address_max(std::max(1u, limits->connections_max() / 4));
  }
  if (limits->ranges_max() == 0) limits->set_ranges_max(64);
  if (limits->body_memory_bytes_max() == 0) limits->set_body_memory_bytes_max(256 << 20);
  if (limits->list_requests_waiting_max() == 0) limits->set_list_requests_waiting_max(256);
  if (limits->credential_bytes_max() == 0) limits->set_credential_bytes_max(32 * 1024);
  if (limits->scopes_max() == 0) limits->set_scopes_max(1000);
  if (limits->token_query_bytes_max() == 0) limits->set_token_query_bytes_max(64 * 1024);
  if (limits->authorization_bytes_max() == 0) limits->set_authorization_bytes_max(128 * 1024);
}

void FillDefaults(config::v1::Uploads* uploads) {
  if (!uploads->has_session_lifetime()) *uploads->mutable_session_lifetime() = Seconds(24 * 60 * 60);
  if (uploads->sessions_max() == 0) uploads->set_sessions_max(10000);
  if (uploads->sessions_per_account_max() == 0) {
    // A client uploads about five layers at once: a hundred are twenty clients of one account.
    const uint32_t share = std::max<uint32_t>(uploads->sessions_max() / 10, 100);
    uploads->set_sessions_per_account_max(std::min(share, uploads->sessions_max()));
  }
}

void FillDefaults(config::v1::RecordStore* records) {
  if (!records->has_postgres()) return;
  config::v1::Postgres& postgres = *records->mutable_postgres();
  if (postgres.database().empty()) postgres.set_database("entrepot");
  if (postgres.user().empty()) postgres.set_user("entrepot");
  if (postgres.connections_max() == 0) postgres.set_connections_max(16);
  if (!postgres.has_connection_wait()) *postgres.mutable_connection_wait() = Seconds(5);
}

void FillDefaults(config::v1::Collector* collector) {
  if (!collector->has_lease()) *collector->mutable_lease() = Seconds(24 * 60 * 60);
  if (!collector->has_grace()) *collector->mutable_grace() = Seconds(60 * 60);
  if (!collector->has_interval()) *collector->mutable_interval() = Seconds(10);
  if (collector->operations_per_second() == 0) collector->set_operations_per_second(500);
  if (collector->operations_per_second_max() == 0) {
    collector->set_operations_per_second_max(std::max<uint32_t>(collector->operations_per_second(), 5000));
  }
  if (collector->quarantine_percent_max() == 0) collector->set_quarantine_percent_max(5);
  if (collector->bytes_per_second() == 0) collector->set_bytes_per_second(1 << 30);
  if (!collector->has_orphan_age()) *collector->mutable_orphan_age() = Seconds(24 * 60 * 60);
  if (!collector->has_orphan_interval()) *collector->mutable_orphan_interval() = Seconds(6 * 60 * 60);
  config::v1::Scrub* scrub = collector->mutable_scrub();
  if (!scrub->has_interval()) *scrub->mutable_interval() = Seconds(7 * 24 * 60 * 60);
  if (scrub->bytes_per_second() == 0) scrub->set_bytes_per_second(16 << 20);
  if (!collector->has_retention_interval()) *collector->mutable_retention_interval() = Seconds(60 * 60);
  if (collector->repository_deletions_max() == 0) collector->set_repository_deletions_max(16);
  if (collector->damage_reports_max() == 0) collector->set_damage_reports_max(1000);
}

void FillDefaults(config::v1::ObjectStorage* objects) {
  if (!objects->has_s3()) return;
  config::v1::S3& s3 = *objects->mutable_s3();
  if (s3.region().empty()) s3.set_region("us-east-1");
  if (s3.credentials_profile().empty()) s3.set_credentials_profile("default");
  if (s3.part_bytes() == 0) s3.set_part_bytes(16 << 20);
  if (s3.upload_memory_bytes_max() == 0) s3.set_upload_memory_bytes_max(1 << 30);
  if (s3.connections_max() == 0) s3.set_connections_max(256);
  if (!s3.has_redirects()) return;
  config::v1::S3Redirects& redirects = *s3.mutable_redirects();
  if (redirects.endpoint().empty()) redirects.set_endpoint(s3.endpoint());
  if (!redirects.has_url_lifetime()) *redirects.mutable_url_lifetime() = Seconds(60);
}

void FillDefaults(config::v1::Log* log) {
  if (log->level().empty()) log->set_level("info");
}

void FillDefaults(config::v1::Service* service) {
  if (!service->has_deadline()) *service->mutable_deadline() = Seconds(10);
}

void FillDefaults(config::v1::Authentication* authentication) {
  if (authentication->service().empty()) authentication->set_service("entrepot");
  if (authentication->issuer().empty()) authentication->set_issuer("entrepot");
  if (!authentication->has_token_lifetime()) *authentication->mutable_token_lifetime() = Seconds(5 * 60);
  if (!authentication->has_refresh_token_lifetime()) {
    *authentication->mutable_refresh_token_lifetime() = Seconds(720 * 60 * 60);
  }
  if (authentication->signing_algorithm().empty()) authentication->set_signing_algorithm("ES256");
  if (authentication->password_hashes_max() == 0) authentication->set_password_hashes_max(2);
  if (authentication->failed_attempts_max() == 0) authentication->set_failed_attempts_max(20);
  if (!authentication->has_failed_attempt_interval()) *authentication->mutable_failed_attempt_interval() = Seconds(3);
}

void FillDrainTimeout(google::protobuf::Duration* drain_timeout) { *drain_timeout = Seconds(25); }

}  // namespace entrepot::runtime
