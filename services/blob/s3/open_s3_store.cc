#include "services/blob/s3/open_s3_store.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/blob/objects/store_format.h"
#include "services/blob/s3/credentials.h"
#include "services/blob/s3/object_urls.h"
#include "services/blob/s3/s3_bucket.h"
#include "services/blob/s3/s3_client.h"
#include "services/blob/s3/s3_metrics.h"
#include "services/blob/s3/s3_object_store.h"
#include "services/core/ip_network.h"
#include "services/outbound/curl_transport.h"
#include "services/runtime/config/config_defaults.h"
#include "services/runtime/log/json_log.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::blob::s3 {
namespace {

constexpr size_t kIdBytesMax = 64;
// A server without conditions lets each of several processes that start at the same time write an id. After this time
// all of them have written theirs, and the last one counts.
constexpr absl::Duration kIdsSettle = absl::Seconds(2);

std::string PrefixOf(const config::v1::S3& config) {
  return config.prefix().empty() || config.prefix().back() == '/' ? config.prefix() : config.prefix() + "/";
}

Fields ObjectHeaders(const config::v1::S3& config) {
  Fields headers;
  if (!config.encryption().empty()) headers.emplace_back("x-amz-server-side-encryption", config.encryption());
  if (!config.encryption_key_id().empty()) {
    headers.emplace_back("x-amz-server-side-encryption-aws-kms-key-id", config.encryption_key_id());
  }
  if (!config.storage_class().empty()) headers.emplace_back("x-amz-storage-class", config.storage_class());
  return headers;
}

S3Target TargetOf(const config::v1::S3& config, const std::string& endpoint) {
  return {.endpoint = endpoint,
          .region = config.region(),
          .bucket = config.bucket(),
          .virtual_hosted = config.virtual_hosted()};
}

std::unique_ptr<ObjectUrls> MakeUrls(const config::v1::S3& config, CredentialsSource* credentials,
                                     const S3Client* client, S3Metrics* metrics) {
  if (!config.has_redirects()) return nullptr;
  ObjectUrls::Options options{.target = TargetOf(config, config.redirects().endpoint()),
                              .clients = {},
                              .lifetime = runtime::ToDuration(config.redirects().url_lifetime())};
  for (const std::string& text : config.redirects().clients()) {
    // CheckObjectStorage() has refused others.
    if (absl::StatusOr<IpNetwork> network = IpNetwork::Parse(text); network.ok()) options.clients.push_back(*network);
  }
  return std::make_unique<ObjectUrls>(std::move(options), credentials, client, metrics->redirects());
}

// The parts of a store, which must exist before it.
struct Parts {
  Parts(const config::v1::S3& config, const S3StoreParts& parts)
      : s3_metrics(*parts.registry),
        transport({.ca_file = config.ca_file(),
                   .connections_max = config.connections_max(),
                   .connections_max_name = "objects.s3.connections_max",
                   .on_lost = [this](outbound::LostConnection reason) { s3_metrics.CountLostConnection(reason); }}),
        credentials(MakeCredentialsSource(
            {.file = config.credentials_file(), .profile = config.credentials_profile(), .region = config.region()},
            &transport, parts.clock)),
        client({.target = TargetOf(config, config.endpoint())}, &transport, credentials.get(), parts.clock,
               &s3_metrics),
        bucket(&client, ObjectHeaders(config)),
        urls(MakeUrls(config, credentials.get(), &client, &s3_metrics)) {}

  S3Metrics s3_metrics;
  outbound::CurlTransport transport;
  std::unique_ptr<CredentialsSource> credentials;
  S3Client client;
  S3Bucket bucket;
  // May be null.
  std::unique_ptr<ObjectUrls> urls;
};

class OwningS3Store : private Parts, public S3ObjectStore {
 public:
  OwningS3Store(const config::v1::S3& config, const S3StoreParts& parts)
      : Parts(config, parts),
        S3ObjectStore(
            {.prefix = PrefixOf(config),
             .part_bytes = config.part_bytes(),
             .upload_memory_bytes_max = config.upload_memory_bytes_max(),
             // An idle session lives for session_lifetime after its last request, and a replica may notice late.
             .abandoned_after = std::max(absl::Hours(72), 3 * parts.session_lifetime),
             .urls = urls.get()},
            &bucket, parts.clock, parts.metrics, &s3_metrics) {}

  absl::Status Check(const config::v1::S3& config, kv::KvEngine& kv) {
    ASSIGN_OR_RETURN(const Conditions conditions, bucket.ProbeConditions(PrefixOf(config) + "probe"));
    if (conditions != Conditions::kKept) {
      runtime::Log(runtime::LogLevel::kWarning, "the S3 server does not keep If-None-Match",
                   {{"endpoint", config.endpoint()},
                    {"does", conditions == Conditions::kRefused ? "refuses it" : "ignores it"}});
    }
    const std::string id_key = IdKey(PrefixOf(config));
    const auto read = [&]() -> absl::StatusOr<std::string> {
      absl::StatusOr<std::string> id = bucket.Get(id_key, kIdBytesMax);
      return absl::IsNotFound(id.status()) ? std::string() : id;
    };
    RETURN_IF_ERROR(CheckStoreIdentity(
        kv, {.name = absl::StrCat("the bucket \"", config.bucket(), "\" with the prefix \"", PrefixOf(config), "\""),
             .question = "are the bucket and the prefix right?",
             .read = read,
             .write = [&](const std::string& id) -> absl::StatusOr<std::string> {
               RETURN_IF_ERROR(bucket.Put(id_key, id, /*if_absent=*/true).status());
               // All replicas of a new registry must take the id that stays.
               if (conditions != Conditions::kKept) absl::SleepFor(kIdsSettle);
               return read();
             },
             .has_objects = [&]() -> absl::StatusOr<bool> {
               ASSIGN_OR_RETURN(const ObjectList list, List("", 1));
               return !list.objects.empty();
             }}));
    return CheckEncryption(config, id_key);
  }

 private:
  // Some servers ignore the request for encryption without an error.
  absl::Status CheckEncryption(const config::v1::S3& config, const std::string& id_key) {
    if (config.encryption().empty()) return absl::OkStatus();
    const S3Request head{.operation = "HeadObject", .method = "HEAD", .key = id_key};
    ASSIGN_OR_RETURN(const S3Answer answer, client.Send(head));
    if (!answer.ok()) return client.ErrorOf(head, answer);
    if (answer.Header("x-amz-server-side-encryption") == config.encryption()) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat("the S3 server did not encrypt the object ", id_key, " with ", config.encryption(),
                     " as objects.s3.encryption requires: check that the server supports it; if the object is older "
                     "than the setting, copy it onto itself"));
  }
};

}  // namespace

absl::StatusOr<std::unique_ptr<StagingObjectStore>> OpenS3Store(const config::v1::S3& config,
                                                                const S3StoreParts& parts) {
  auto store = std::make_unique<OwningS3Store>(config, parts);
  RETURN_IF_ERROR(store->Check(config, *parts.kv));
  return store;
}

}  // namespace entrepot::blob::s3
