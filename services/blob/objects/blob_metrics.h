#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_BLOB_METRICS_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_BLOB_METRICS_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace entrepot::blob {

// How an upload session ended.
enum class UploadResult { kSealed, kCancelled, kExpired, kDigestMismatch, kLost, kEvicted };
// The bound on open sessions that refuses a new one: in sum, or the share of an account.
enum class UploadLimit { kSum, kShare };

enum class StoreBackend { kFilesystem, kKv, kS3 };
enum class StoreOperation { kOpen, kPublish, kDelete };

// The blob service's metrics. Their names and help texts are in the source. Thread-safe.
class BlobMetrics {
 public:
  // Registers all metrics. `registry` must outlive this.
  explicit BlobMetrics(prometheus::Registry& registry);

  void CountUpload(UploadResult result);
  void CountRefusedUpload(UploadLimit limit) { refused_uploads_[static_cast<int>(limit)]->Increment(); }
  void SetOpenUploads(size_t sessions, uint64_t bytes) {
    upload_sessions_->Set(static_cast<double>(sessions));
    upload_bytes_->Set(static_cast<double>(bytes));
  }
  void ObserveBlobSize(double bytes) { blob_size_->Observe(bytes); }
  void ObserveFsync(absl::Duration duration) { fsync_duration_->Observe(absl::ToDoubleSeconds(duration)); }
  // Counts a read that was refused or cut off because the object is corrupt.
  void CountCorruptRead() { corrupt_reads_->Increment(); }
  // A missing object counts as a success: the store has answered.
  void ObserveOperation(StoreBackend backend, StoreOperation operation, bool ok, absl::Duration duration);

  prometheus::Gauge* upload_sessions() { return upload_sessions_; }
  prometheus::Gauge* upload_sessions_max() { return upload_sessions_max_; }
  prometheus::Gauge* upload_bytes() { return upload_bytes_; }
  prometheus::Gauge* uploads_undeleted() { return uploads_undeleted_; }
  prometheus::Gauge* upload_oldest_age() { return upload_oldest_age_; }
  prometheus::Gauge* store_read_only() { return store_read_only_; }
  prometheus::Gauge* storage_used() { return storage_used_; }
  prometheus::Gauge* storage_free() { return storage_free_; }

 private:
  static constexpr int kResults = 6;
  static constexpr int kLimits = 2;
  static constexpr int kBackends = 3;
  static constexpr int kOperations = 3;

  prometheus::Counter* uploads_[kResults];
  prometheus::Counter* refused_uploads_[kLimits];
  prometheus::Counter* digest_mismatches_;
  prometheus::Counter* corrupt_reads_;
  prometheus::Histogram* operations_[kBackends][kOperations][2];
  prometheus::Histogram* fsync_duration_;
  prometheus::Histogram* blob_size_;
  prometheus::Gauge* upload_sessions_;
  prometheus::Gauge* upload_sessions_max_;
  prometheus::Gauge* upload_bytes_;
  prometheus::Gauge* uploads_undeleted_;
  prometheus::Gauge* upload_oldest_age_;
  prometheus::Gauge* store_read_only_;
  prometheus::Gauge* storage_used_;
  prometheus::Gauge* storage_free_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_BLOB_METRICS_H_
