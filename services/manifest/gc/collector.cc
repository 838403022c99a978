#include "services/manifest/gc/collector.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/time/proto_time.h"
#include "services/manifest/gc/blob_review.h"
#include "services/manifest/gc/collection_backlog.h"
#include "services/manifest/gc/collection_dry_run.h"
#include "services/manifest/gc/collection_history.h"
#include "services/manifest/gc/collection_run.h"
#include "services/manifest/gc/collection_waits.h"
#include "services/manifest/gc/collector_metrics.h"
#include "services/manifest/gc/deletion_pause.h"
#include "services/manifest/gc/object_sweep.h"
#include "services/manifest/gc/orphan_quarantine.h"
#include "services/manifest/gc/upload_review.h"
#include "services/manifest/records/review_queue.h"
#include "services/runtime/threads/periodic_task.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

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
        pause_(kv, clock),
        metrics_(options.registry),
        sweep_(kv, objects, &pause_, &metrics_, &backlog_, &random_),
        orphans_(kv, clock, objects, &pause_, &metrics_, options.orphan_age, options.quarantine_percent_max) {}

  absl::StatusOr<v1::Collection> Run(const Pace& pace, bool now) override {
    CollectionRun run(clock_, &pace);
    run.report().set_now(now);
    Note(ReviewUploads(*kv_, *clock_, *objects_, &run), &run);
    if (!run.stopped()) Note(sweep_.SweepAll(&run), &run);
    if (!run.stopped()) Note(ReviewDue(&run), &run);
    if (now && !run.stopped()) Note(ReviewCondemned(&run), &run);
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
    ASSIGN_OR_RETURN(*status->mutable_waits(), ReadFirstWaits(kCountedForStatus, Pace()));
    status->set_delete_intents(status->waits().deletable().count());
    status->set_delete_intent_bytes(status->waits().deletable().bytes());
    status->set_more_delete_intents(status->waits().deletable().more());
    ASSIGN_OR_RETURN(std::vector<v1::Collection> history, ReadHistory(*kv_));
    status->clear_history();
    for (v1::Collection& run : history) *status->add_history() = std::move(run);
    return absl::OkStatus();
  }

  absl::StatusOr<v1::Waits> ReadWaits(const Pace& pace) override {
    return ReadFirstWaits(std::numeric_limits<size_t>::max(), pace);
  }

  absl::StatusOr<std::unique_ptr<Pause>> PauseDeletions() override {
    ASSIGN_OR_RETURN(std::string name, pause_.Begin());
    return std::make_unique<ScopedPause>(&pause_, std::move(name));
  }

 private:
  class ScopedPause : public Pause {
   public:
    ScopedPause(DeletionPause* pause, std::string name) : pause_(*pause), name_(std::move(name)) {}
    ~ScopedPause() override {
      renewal_.reset();
      // If it fails, the pause ends by itself later.
      pause_.End(name_).IgnoreError();
    }
    absl::Status Check() override { return pause_.Renew(name_); }

   private:
    DeletionPause& pause_;
    const std::string name_;
    // A failure shows in Check().
    std::unique_ptr<runtime::PeriodicTask> renewal_ = std::make_unique<runtime::PeriodicTask>(
        DeletionPause::kLifetime / 10, [this] { pause_.Renew(name_).IgnoreError(); });
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
      const bool go_on = ReviewPage(page, {.grace = options_.grace}, run, &deletable, &next);
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

  // Deletes the CONDEMNED blobs whose grace is not over, unless a pull may still read them.
  absl::Status ReviewCondemned(CollectionRun* run) {
    const ReviewTerms terms{.grace = options_.grace, .skip_grace_by_lease = options_.lease};
    LaterReviews later(kv_, clock_->Now());
    while (!later.at_end()) {
      ASSIGN_OR_RETURN(const std::vector<QueuedBlob> page, later.NextPage());
      std::vector<QueueEntry> condemned;
      for (const QueuedBlob& blob : page) {
        if (blob.record.state() == storage::v1::BlobRecord::CONDEMNED) condemned.push_back(blob.entry);
      }
      std::vector<StorageKey> deletable;
      absl::Time next = absl::InfiniteFuture();
      const bool go_on = ReviewPage(condemned, terms, run, &deletable, &next);
      if (!run->stopped()) RETURN_IF_ERROR(sweep_.Sweep(deletable, run));
      if (!go_on || !run->KeepPace(1, 0)) break;
    }
    return absl::OkStatus();
  }

  // Returns false if the rest of the queue is left for the next run.
  bool ReviewPage(const std::vector<QueueEntry>& page, const ReviewTerms& terms, CollectionRun* run,
                  std::vector<StorageKey>* deletable, absl::Time* next) {
    for (const QueueEntry& entry : page) {
      absl::StatusOr<BlobReview> review = ReviewBlob(*kv_, *clock_, terms, entry.due, entry.digest);
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
    if (review.skipped_grace) report.set_graces_skipped(report.graces_skipped() + 1);
    if (review.result == ReviewResult::kRevived) metrics_.CountViolation();
  }

  void ShowQueue(const std::vector<QueueEntry>& page, uint64_t due) {
    absl::Duration overdue = absl::ZeroDuration();
    for (const QueueEntry& entry : page) overdue = std::max(overdue, clock_->Now() - entry.due);
    metrics_.SetQueue(page.empty() ? 0 : due, overdue);
  }

  absl::StatusOr<v1::Waits> ReadFirstWaits(size_t limit, const Pace& pace) {
    ASSIGN_OR_RETURN(v1::Waits waits, manifest::ReadWaits(*kv_, *objects_, clock_->Now(), limit, pace));
    ASSIGN_OR_RETURN(const bool paused, DeletionPause::InForce(*kv_));
    waits.set_deletions_paused(paused);
    return waits;
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
