#include "services/blob/objects/blob_metrics.h"

#include <string>

#include "prometheus/family.h"

namespace entrepot::blob {
namespace {

constexpr absl::string_view kResultNames[] = {"sealed", "cancelled", "expired", "digest_mismatch", "lost", "evicted"};
constexpr absl::string_view kLimitNames[] = {"registry", "account"};
constexpr absl::string_view kBackendNames[] = {"filesystem", "kv", "s3"};
constexpr absl::string_view kOperationNames[] = {"open", "publish", "delete"};

prometheus::Histogram::BucketBoundaries DurationBuckets() {
  return {0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10};
}

prometheus::Histogram::BucketBoundaries SizeBuckets() {
  return {1 << 10, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 26, 1 << 28, 1 << 30, 4294967296.0};
}

prometheus::Gauge* AddGauge(prometheus::Registry& registry, const char* name, const char* help) {
  return &prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

}  // namespace

BlobMetrics::BlobMetrics(prometheus::Registry& registry)
    : upload_sessions_(AddGauge(registry, "entrepot_upload_sessions", "Upload sessions that are open.")),
      upload_sessions_max_(AddGauge(registry, "entrepot_upload_sessions_max", "Upload sessions that may be open.")),
      upload_bytes_(AddGauge(registry, "entrepot_upload_bytes", "Bytes that open upload sessions hold.")),
      uploads_undeleted_(AddGauge(registry, "entrepot_uploads_undeleted",
                                  "Ended upload sessions whose deletion failed; it is repeated every few seconds.")),
      upload_oldest_age_(AddGauge(registry, "entrepot_upload_oldest_age_seconds",
                                  "Age of the open session that has been idle longest.")),
      store_read_only_(AddGauge(registry, "entrepot_store_read_only",
                                "1 once an I/O error has turned the blob store read-only; a restart clears it.")),
      storage_used_(AddGauge(registry, "entrepot_storage_used_bytes",
                             "Used bytes of the file system with the blobs, by all its users.")),
      storage_free_(AddGauge(registry, "entrepot_storage_free_bytes",
                             "Bytes of the file system with the blobs that this process may still use.")) {
  auto& uploads = prometheus::BuildCounter()
                      .Name("entrepot_uploads_total")
                      .Help("Ended upload sessions, by result.")
                      .Register(registry);
  for (int i = 0; i < kResults; ++i) uploads_[i] = &uploads.Add({{"result", std::string(kResultNames[i])}});
  auto& refused = prometheus::BuildCounter()
                      .Name("entrepot_uploads_refused_total")
                      .Help("Uploads that were not started because too many sessions were open, by the limit.")
                      .Register(registry);
  for (int i = 0; i < kLimits; ++i) refused_uploads_[i] = &refused.Add({{"limit", std::string(kLimitNames[i])}});
  digest_mismatches_ = &prometheus::BuildCounter()
                            .Name("entrepot_digest_mismatch_total")
                            .Help("Uploads whose bytes did not have the digest that the client sent.")
                            .Register(registry)
                            .Add({});
  corrupt_reads_ = &prometheus::BuildCounter()
                        .Name("entrepot_blob_corrupt_reads_total")
                        .Help("Reads that were refused or cut off because the object is corrupt.")
                        .Register(registry)
                        .Add({});
  auto& operations = prometheus::BuildHistogram()
                         .Name("entrepot_blob_store_operation_duration_seconds")
                         .Help("Duration of operations on stored objects.")
                         .Register(registry);
  for (int b = 0; b < kBackends; ++b) {
    for (int o = 0; o < kOperations; ++o) {
      for (int ok = 0; ok < 2; ++ok) {
        operations_[b][o][ok] = &operations.Add({{"backend", std::string(kBackendNames[b])},
                                                 {"op", std::string(kOperationNames[o])},
                                                 {"result", ok ? "ok" : "error"}},
                                                DurationBuckets());
      }
    }
  }
  fsync_duration_ = &prometheus::BuildHistogram()
                         .Name("entrepot_fsync_duration_seconds")
                         .Help("Duration of fsync and fdatasync of blob files and their directories.")
                         .Register(registry)
                         .Add({}, DurationBuckets());
  blob_size_ = &prometheus::BuildHistogram()
                    .Name("entrepot_blob_size_bytes")
                    .Help("Sizes of sealed uploads.")
                    .Register(registry)
                    .Add({}, SizeBuckets());
}

void BlobMetrics::CountUpload(UploadResult result) {
  uploads_[static_cast<int>(result)]->Increment();
  if (result == UploadResult::kDigestMismatch) digest_mismatches_->Increment();
}

void BlobMetrics::ObserveOperation(StoreBackend backend, StoreOperation operation, bool ok, absl::Duration duration) {
  operations_[static_cast<int>(backend)][static_cast<int>(operation)][ok ? 1 : 0]->Observe(
      absl::ToDoubleSeconds(duration));
}

}  // namespace entrepot::blob
