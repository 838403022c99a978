#ifndef ENTREPOT_SERVICES_MANIFEST_GC_COLLECTOR_METRICS_H_
#define ENTREPOT_SERVICES_MANIFEST_GC_COLLECTOR_METRICS_H_

#include <cstdint>
#include <memory>

#include "absl/time/time.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"
#include "services/manifest/gc/blob_review.h"

namespace entrepot::manifest {

enum class RunResult { kDone, kStopped, kFailed };

// The collector's metrics; their names and help texts are in the source. Thread-safe.
class CollectorMetrics {
 public:
  // If `registry` is null, the metrics are counted but not exported.
  explicit CollectorMetrics(std::shared_ptr<prometheus::Registry> registry);

  void CountReview(ReviewResult result);
  void CountFailedReview() { failed_reviews_->Increment(); }
  void CountRun(RunResult result, absl::Time now);
  void CountReclaimed(uint64_t bytes) { reclaimed_bytes_->Increment(static_cast<double>(bytes)); }
  void CountQuarantined() { quarantined_->Increment(); }
  void CountFailedObject() { failed_objects_->Increment(); }
  void SetShareExceeded(bool exceeded) { share_exceeded_->Set(exceeded ? 1 : 0); }
  void CountViolation() { violations_->Increment(); }
  void SetQueue(uint64_t due, absl::Duration overdue);
  void SetIntents(uint64_t count) { intents_->Set(static_cast<double>(count)); }

 private:
  static constexpr int kReviewResults = 8;

  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Counter* reviews_[kReviewResults];
  prometheus::Counter* failed_reviews_;
  prometheus::Counter* runs_[3];
  prometheus::Counter* reclaimed_bytes_;
  prometheus::Counter* quarantined_;
  prometheus::Counter* failed_objects_;
  prometheus::Counter* violations_;
  prometheus::Gauge* share_exceeded_;
  prometheus::Gauge* queue_depth_;
  prometheus::Gauge* oldest_overdue_;
  prometheus::Gauge* intents_;
  prometheus::Gauge* last_success_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GC_COLLECTOR_METRICS_H_
