#include "services/runtime/config/config_defaults.h"

#include <cstdint>
#include <string>
#include <utility>

#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"

namespace entrepot::runtime {
namespace {

TEST(ConfigDefaultsTest, FillsAnEmptyConfiguration) {
  config::v1::Endpoint endpoint;
  FillDefaults(5001, &endpoint);
  EXPECT_EQ(endpoint.ShortDebugString(), "address: \"127.0.0.1\" port: 5001");
  config::v1::PublicEndpoint listen;
  FillDefaults(&listen);
  EXPECT_EQ(listen.ShortDebugString(), "address: \"127.0.0.1\" port: 5000 forwarded_header: \"x-forwarded-for\"");
  config::v1::Limits limits;
  FillDefaults(&limits);
  EXPECT_EQ(limits.ShortDebugString(),
            "header_bytes_max: 32768 uri_bytes_max: 8192 manifest_bytes_max: 4194304 idle_timeout { seconds: 75 } "
            "header_timeout { seconds: 15 } minimum_rate_bytes_per_second: 1024 minimum_rate_window { seconds: 30 } "
            "connections_max: 4096 silence_timeout { seconds: 60 } connections_per_address_max: 1024 "
            "body_memory_bytes_max: 268435456 list_requests_waiting_max: 256 "
            "credential_bytes_max: 32768 scopes_max: 1000 token_query_bytes_max: 65536 "
            "authorization_bytes_max: 131072 ranges_max: 64");
  config::v1::Uploads uploads;
  FillDefaults(&uploads);
  EXPECT_EQ(uploads.ShortDebugString(),
            "session_lifetime { seconds: 86400 } sessions_max: 10000 sessions_per_account_max: 1000");
  for (const auto& [sessions_max, share] : {std::pair<uint32_t, uint32_t>{20, 20}, {500, 100}, {2000, 200}}) {
    uploads.Clear();
    uploads.set_sessions_max(sessions_max);
    FillDefaults(&uploads);
    EXPECT_EQ(uploads.sessions_per_account_max(), share);
  }
  config::v1::ObjectStorage objects;
  FillDefaults(&objects);
  EXPECT_EQ(objects.ShortDebugString(), "");
  objects.mutable_s3();
  FillDefaults(&objects);
  EXPECT_EQ(objects.ShortDebugString(),
            "s3 { region: \"us-east-1\" credentials_profile: \"default\" part_bytes: 16777216 "
            "upload_memory_bytes_max: 1073741824 connections_max: 256 }");
  objects.mutable_s3()->set_endpoint("https://s3.example");
  objects.mutable_s3()->mutable_redirects();
  FillDefaults(&objects);
  EXPECT_EQ(objects.s3().redirects().ShortDebugString(),
            "endpoint: \"https://s3.example\" url_lifetime { seconds: 60 }");
  config::v1::RecordStore records;
  FillDefaults(&records);
  EXPECT_EQ(records.ShortDebugString(), "") << "RocksDB";
  records.mutable_postgres();
  FillDefaults(&records);
  EXPECT_EQ(records.postgres().ShortDebugString(),
            "database: \"entrepot\" user: \"entrepot\" connections_max: 16 connection_wait { seconds: 5 }");
  config::v1::Collector collector;
  FillDefaults(&collector);
  EXPECT_EQ(collector.ShortDebugString(),
            "lease { seconds: 86400 } grace { seconds: 3600 } interval { seconds: 10 } operations_per_second: 500 "
            "bytes_per_second: 1073741824 orphan_age { seconds: 86400 } orphan_interval { seconds: 21600 } "
            "scrub { interval { seconds: 604800 } bytes_per_second: 16777216 } retention_interval { seconds: 3600 } "
            "operations_per_second_max: 5000 quarantine_percent_max: 5 repository_deletions_max: 16 "
            "damage_reports_max: 1000");
  config::v1::Log log;
  FillDefaults(&log);
  EXPECT_EQ(log.level(), "info");
  config::v1::Service service;
  FillDefaults(&service);
  EXPECT_EQ(service.ShortDebugString(), "deadline { seconds: 10 }");
  config::v1::Authentication authentication;
  FillDefaults(&authentication);
  EXPECT_EQ(authentication.ShortDebugString(),
            "service: \"entrepot\" issuer: \"entrepot\" token_lifetime { seconds: 300 } "
            "refresh_token_lifetime { seconds: 2592000 } signing_algorithm: \"ES256\" password_hashes_max: 2 "
            "failed_attempts_max: 20 failed_attempt_interval { seconds: 3 }");
  google::protobuf::Duration drain_timeout;
  FillDrainTimeout(&drain_timeout);
  EXPECT_EQ(ToDuration(drain_timeout), absl::Seconds(25));
}

TEST(ConfigDefaultsTest, GrpcEndpointHasNoDefaultPort) {
  config::v1::Endpoint endpoint;
  FillGrpcDefaults(&endpoint);
  EXPECT_EQ(endpoint.ShortDebugString(), "address: \"127.0.0.1\" connections_max: 1024");
}

// Sets every scalar to 3 or "3", a duration to 3 s.
void SetAll(google::protobuf::Message* message) {
  const google::protobuf::Reflection* reflection = message->GetReflection();
  for (int i = 0; i < message->GetDescriptor()->field_count(); ++i) {
    const google::protobuf::FieldDescriptor* field = message->GetDescriptor()->field(i);
    switch (field->cpp_type()) {
      case google::protobuf::FieldDescriptor::CPPTYPE_UINT32:
        reflection->SetUInt32(message, field, 3);
        break;
      case google::protobuf::FieldDescriptor::CPPTYPE_UINT64:
        reflection->SetUInt64(message, field, 3);
        break;
      case google::protobuf::FieldDescriptor::CPPTYPE_INT32:
        reflection->SetInt32(message, field, 3);
        break;
      case google::protobuf::FieldDescriptor::CPPTYPE_INT64:
        reflection->SetInt64(message, field, 3);
        break;
      case google::protobuf::FieldDescriptor::CPPTYPE_BOOL:
        reflection->SetBool(message, field, true);
        break;
      case google::protobuf::FieldDescriptor::CPPTYPE_STRING:
        if (field->is_repeated()) {
          reflection->AddString(message, field, "3");
        } else {
          reflection->SetString(message, field, "3");
        }
        break;
      case google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE:
        SetAll(reflection->MutableMessage(message, field));
        break;
      default:
        FAIL() << field->full_name();
    }
  }
}

template <typename Message>
void ExpectKept() {
  Message message;
  SetAll(&message);
  const std::string before = message.DebugString();
  FillDefaults(&message);
  EXPECT_EQ(message.DebugString(), before);
}

TEST(ConfigDefaultsTest, KeepsConfiguredValues) {
  ExpectKept<config::v1::PublicEndpoint>();
  ExpectKept<config::v1::Limits>();
  ExpectKept<config::v1::Uploads>();
  ExpectKept<config::v1::Collector>();
  ExpectKept<config::v1::ObjectStorage>();
  ExpectKept<config::v1::Log>();
  ExpectKept<config::v1::Service>();
  ExpectKept<config::v1::Authentication>();
  config::v1::Endpoint endpoint;
  SetAll(&endpoint);
  FillDefaults(5001, &endpoint);
  FillGrpcDefaults(&endpoint);
  EXPECT_EQ(endpoint.address(), "3");
  EXPECT_EQ(endpoint.port(), 3u);
  EXPECT_EQ(endpoint.connections_max(), 3u);
}

TEST(ConfigDefaultsTest, KeepsAnExplicitZeroDuration) {
  config::v1::Limits limits;
  limits.mutable_idle_timeout();
  FillDefaults(&limits);
  EXPECT_EQ(ToDuration(limits.idle_timeout()), absl::ZeroDuration());
}

}  // namespace
}  // namespace entrepot::runtime
