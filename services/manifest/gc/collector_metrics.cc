#include "services/manifest/gc/collector_metrics.h"

#include <utility>

#include "prometheus/family.h"

namespace entrepot::manifest {
namespace {

constexpr const char* kReviewNames[] = {"gone",      "unknown", "referenced", "leased",
                                        "condemned", "waiting", "deleted",    "revived"};
constexpr const char* kRunNames[] = {"done", "stopped", "failed"};

prometheus::Family<prometheus::Counter>& Counters(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

prometheus::Gauge* Gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return &prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

}  // namespace

CollectorMetrics::CollectorMetrics(std::shared_ptr<prometheus::Registry> registry)
    : registry_(registry != nullptr ? std::move(registry) : std::make_shared<prometheus::Registry>()) {
  auto& reviews = Counters(*registry_, "entrepot_gc_reviews_total", "Reviews of blobs by the collector, by result.");
  for (int i = 0; i < kReviewResults; ++i) reviews_[i] = &reviews.Add({{"result", kReviewNames[i]}});
  failed_reviews_ = &reviews.Add({{"result", "failed"}});
  auto& runs = Counters(*registry_, "entrepot_gc_runs_total", "Runs of the collector.");
  for (int i = 0; i < 3; ++i) runs_[i] = &runs.Add({{"result", kRunNames[i]}});
  reclaimed_bytes_ =
      &Counters(*registry_, "entrepot_gc_reclaimed_bytes_total", "Bytes of objects that the collector deleted.")
           .Add({});
  quarantined_ =
      &Counters(*registry_, "entrepot_gc_quarantined_total", "Orphaned objects that the collector quarantined.")
           .Add({});
  failed_objects_ = &Counters(*registry_, "entrepot_gc_failed_objects_total",
                              "Failures to delete or quarantine an object; each is tried again.")
                         .Add({});
  violations_ =
      &Counters(*registry_, "entrepot_gc_invariant_violations_total", "Violated invariants that the collector found.")
           .Add({});
  share_exceeded_ = Gauge(*registry_, "entrepot_gc_quarantine_share_exceeded",
                          "1 if so many objects have no record that an operator must agree to their quarantine.");
  queue_depth_ = Gauge(*registry_, "entrepot_gc_queue_depth", "Queue entries that are due for review.");
  oldest_overdue_ = Gauge(*registry_, "entrepot_gc_oldest_overdue_seconds",
                          "For how long the oldest entry of the review queue has been due.");
  intents_ = Gauge(*registry_, "entrepot_gc_delete_intents", "Deletable objects that are not swept yet.");
  last_success_ = Gauge(*registry_, "entrepot_gc_last_success_timestamp_seconds",
                        "When a run of the collector last ended without a failure.");
}

void CollectorMetrics::CountReview(ReviewResult result) { reviews_[static_cast<int>(result)]->Increment(); }

void CollectorMetrics::CountRun(RunResult result, absl::Time now) {
  runs_[static_cast<int>(result)]->Increment();
  if (result == RunResult::kDone) last_success_->Set(absl::ToDoubleSeconds(now - absl::UnixEpoch()));
}

void CollectorMetrics::SetQueue(uint64_t due, absl::Duration overdue) {
  queue_depth_->Set(static_cast<double>(due));
  oldest_overdue_->Set(absl::ToDoubleSeconds(overdue));
}

}  // namespace entrepot::manifest
