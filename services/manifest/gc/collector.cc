#include "services/manifest/gc/collector.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/gc/blob_review.h"
#include "services/manifest/gc/collection_backlog.h"
#include "services/manifest/gc/collection_dry_run.h"
#include "services/manifest/gc/collection_history.h"
#include "services/manifest/gc/collection_run.h"
#include "services/manifest/gc/collector_metrics.h"
#include "services/manifest/gc/deletion_pause.h"
#include "services/manifest/gc/object_sweep.h"
#include "services/manifest/gc/orphan_quarantine.h"
#include "services/manifest/gc/upload_review.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_cursor.h"
#include "services/manifest/records/review_queue.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using storage::v1::DeleteIntentRecord;

// Passes over the queue in one run. There is more than one if the grace is so short that blobs that one pass condemned
// are due at its end.
constexpr int kPassesMax = 8;
// A review, and the deletion of an object that may follow it.
constexpr uint64_t kOperationsAnEntry = 2;
// How many entries are counted at most: for the status, and for the pace.
constexpr size_t kCountedForStatus = 1000;
constexpr size_t kCountedForPace = 200'000;

class KvCollector : public Collector {
 public:
  KvCollector(kv::KvEngine* kv, const Clock* clock, BlobStorage* objects, const Options& options)
      : kv_(kv),
        clock_(clock),
        objects_(objects),
        options_(options),
        random_(options.random ? options.random : [] { return absl::BitGen()(); }),
        metrics_(options.registry),
        sweep_(kv, objects, &pause_, &metrics_, &backlog_, &random_),
        orphans_(kv, clock, objects, &pause_, &metrics_, options.orphan_age, options.quarantine_percent_max) {}

  absl::StatusOr<v1::Collection> Run(const Pace& pace) override {
    CollectionRun run(clock_, &pace);
    Note(ReviewUploads(*kv_, *clock_, *objects_, &run), &run);
    if (!run.stopped()) Note(sweep_.SweepAll(&run), &run);
    if (!run.stopped()) Note(ReviewDue(&run), &run);
    if (!run.stopped()) Note(sweep_.SweepAll(&run), &run);
    backlog_.Set(0);
    return Finish(std::move(run));
  }

  absl::StatusOr<v1::Collection> QuarantineOrphans(const Pace& pace, bool any_share) override {
    CollectionRun run(clock_, &pace);
    Note(orphans_.Run(any_share, &run), &run);
    return Finish(std::move(run));
  }

  absl::StatusOr<v1::Collection> DryRun(const Pace& pace) override {
    CollectionRun run(clock_, &pace);
    RETURN_IF_ERROR(DryRunCollection(*kv_, *objects_, clock_->Now(), &run));
    return std::move(run).Finish();
  }

  uint64_t OperationsPerSecondNeeded() const override { return backlog_.OperationsPerSecond(); }

  absl::Status FillStatus(v1::MaintenanceStatus* status) override {
    ASSIGN_OR_RETURN(const QueueCounts queue, CountQueue(*kv_, clock_->Now(), kCountedForStatus));
    status->set_queued(queue.queued);
    status->set_more_queued(queue.more);
    status->set_due(queue.due);
    status->set_more_due(queue.more && queue.due == queue.queued);
    status->clear_oldest_due();
    if (queue.due > 0) *status->mutable_oldest_due() = ToTimestamp(queue.oldest);
    RETURN_IF_ERROR(FillIntents(status));
    ASSIGN_OR_RETURN(std::vector<v1::Collection> history, ReadHistory(*kv_));
    status->clear_history();
    for (v1::Collection& run : history) *status->add_history() = std::move(run);
    return absl::OkStatus();
  }

  std::unique_ptr<Pause> PauseDeletions() override { return std::make_unique<ScopedPause>(&pause_); }

 private:
  class ScopedPause : public Pause {
   public:
    explicit ScopedPause(DeletionPause* pause) : pause_(pause) { pause_->Begin(); }
    ~ScopedPause() override { pause_->End(); }

   private:
    DeletionPause* const pause_;
  };

  static void Note(const absl::Status& status, CollectionRun* run) {
    if (!status.ok()) run->NoteFailure(status);
  }

  v1::Collection Finish(CollectionRun run) {
    const bool failed = !run.first_failure().ok();
    const RunResult result = failed ? RunResult::kFailed : run.stopped() ? RunResult::kStopped : RunResult::kDone;
    v1::Collection report = std::move(run).Finish();
    metrics_.CountRun(result, clock_->Now());
    if (const absl::Status kept = AddToHistory(*kv_, report); !kept.ok() && report.error().empty()) {
      report.set_error(std::string(kept.message()));
    }
    return report;
  }

  absl::Status ReviewDue(CollectionRun* run) {
    bool may_sweep = true;
    for (int pass = 0; pass < kPassesMax && !run->stopped(); ++pass) {
      ASSIGN_OR_RETURN(const absl::Time next, ReviewPass(run, &may_sweep));
      if (next > clock_->Now()) break;
    }
    return absl::OkStatus();
  }

  // Reviews each due entry once. Returns when the first of the blobs that it condemned is due again.
  absl::StatusOr<absl::Time> ReviewPass(CollectionRun* run, bool* may_sweep) {
    absl::Time next = absl::InfiniteFuture();
    const absl::Time now = clock_->Now();
    ASSIGN_OR_RETURN(const QueueCounts queue, CountDue(*kv_, now, kCountedForPace));
    backlog_.Set(kOperationsAnEntry * queue.due);
    uint64_t seen = 0;
    for (DueReviews due(kv_, now, &random_);;) {
      ASSIGN_OR_RETURN(const std::vector<QueueEntry> page, due.NextPage());
      ShowQueue(page, queue.due - std::min(queue.due, seen));
      if (page.empty()) return next;
      seen += page.size();
      std::vector<StorageKey> deletable;
      const bool go_on = ReviewPage(page, run, &deletable, &next);
      // Sweeping at once saves a search for the intents later, and frees space while a long run goes on.
      if (*may_sweep && !run->stopped()) {
        if (const absl::Status swept = sweep_.Sweep(deletable, run); !swept.ok()) {
          run->NoteFailure(swept);
          *may_sweep = false;
        }
      }
      if (!go_on || run->stopped()) return absl::InfiniteFuture();
    }
  }

  // Returns false if the rest of the queue is left for the next run.
  bool ReviewPage(const std::vector<QueueEntry>& page, CollectionRun* run, std::vector<StorageKey>* deletable,
                  absl::Time* next) {
    for (const QueueEntry& entry : page) {
      absl::StatusOr<BlobReview> review = ReviewBlob(*kv_, *clock_, options_.grace, entry.due, entry.digest);
      if (!review.ok()) {
        metrics_.CountFailedReview();
        // A record that cannot be read concerns only its blob.
        if (absl::IsDataLoss(review.status())) {
          run->NoteFailure(review.status());
        } else if (run->CountFailure(review.status())) {
          return false;
        }
      } else {
        run->CountSuccess();
        Count(*review, run);
        *next = std::min(*next, review->next);
        if (review->deleted.has_value()) deletable->push_back(std::move(review->deleted->storage_key));
      }
      if (!run->KeepPace(1, 0)) return false;
    }
    return true;
  }

  void Count(const BlobReview& review, CollectionRun* run) {
    metrics_.CountReview(review.result);
    v1::Collection& report = run->report();
    if (review.result != ReviewResult::kGone) report.set_reviewed(report.reviewed() + 1);
    if (review.result == ReviewResult::kCondemned) report.set_condemned(report.condemned() + 1);
    if (review.result == ReviewResult::kDeleted) report.set_deleted(report.deleted() + 1);
    if (review.result == ReviewResult::kRevived) metrics_.CountViolation();
  }

  void ShowQueue(const std::vector<QueueEntry>& page, uint64_t due) {
    absl::Duration overdue = absl::ZeroDuration();
    for (const QueueEntry& entry : page) overdue = std::max(overdue, clock_->Now() - entry.due);
    metrics_.SetQueue(page.empty() ? 0 : due, overdue);
  }

  absl::Status FillIntents(v1::MaintenanceStatus* status) {
    uint64_t intents = 0;
    uint64_t bytes = 0;
    size_t read = 0;
    RecordCursor cursor(kv_, keys::DeleteIntents(), "");
    for (;;) {
      ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
      if (entry == nullptr) break;
      status->set_more_delete_intents(++read > kCountedForStatus);
      if (status->more_delete_intents()) break;
      const auto intent = kv::ParseRecord<DeleteIntentRecord>(entry->key, entry->value);
      if (!intent.ok() || intent->suspect()) continue;
      ++intents;
      bytes += intent->size_bytes();
    }
    status->set_delete_intents(intents);
    status->set_delete_intent_bytes(bytes);
    return absl::OkStatus();
  }

  kv::KvEngine* const kv_;
  const Clock* const clock_;
  BlobStorage* const objects_;
  const Options options_;
  const RandomBits random_;
  DeletionPause pause_;
  CollectorMetrics metrics_;
  CollectionBacklog backlog_;
  const ObjectSweep sweep_;
  const OrphanQuarantine orphans_;
};

}  // namespace

std::unique_ptr<Collector> Collector::Create(kv::KvEngine* kv, const Clock* clock, BlobStorage* objects,
                                             const Options& options) {
  return std::make_unique<KvCollector>(kv, clock, objects, options);
}

}  // namespace entrepot::manifest
