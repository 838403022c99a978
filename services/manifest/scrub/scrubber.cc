#include "services/manifest/scrub/scrubber.h"

#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "prometheus/gauge.h"
#include "services/core/content.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/blob_record.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/scrub/blob_verifier.h"
#include "services/manifest/scrub/corrupt_blobs.h"
#include "services/runtime/log/json_log.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using storage::v1::BlobRecord;
using storage::v1::ScrubFailure;
using storage::v1::ScrubRecord;

constexpr size_t kPage = 64;
constexpr absl::Duration kSaveInterval = absl::Seconds(5);
constexpr int kFailuresListed = 20;
// So many blobs of a pass may be damaged whatever their share, as many as OrphanQuarantine::kAlwaysAllowed: a small
// registry survives a few bad sectors without an operator, and one whose objects are gone does not lose them all.
constexpr uint64_t kAlwaysQuarantined = 10;

struct Pass {
  ScrubRecord record;
  uint64_t bytes_per_second = 0;
  // The progress is saved from time to time, so that the pass can be continued; the pass ends if another one has begun
  // since.
  bool resumable = false;
  absl::Time saved_at;
};

enum class Ending { kDone, kStopped, kSuperseded };

// The progress of the one pass that is under way, or of the last one.
absl::StatusOr<std::optional<ScrubRecord>> ReadScrubProgress(kv::KvReader& kv) {
  return kv::ReadRecord<ScrubRecord>(kv, keys::Scrub());
}

// Returns false, and writes nothing, if another pass has begun since this one did.
absl::StatusOr<bool> WriteScrubProgress(kv::KvEngine& kv, const ScrubRecord& record) {
  bool written = false;
  const auto write = [&](kv::KvTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const std::optional<ScrubRecord> before, ReadScrubProgress(transaction));
    written = !before.has_value() || FromTimestamp(before->started_at()) <= FromTimestamp(record.started_at());
    if (written) kv::WriteRecord(transaction, keys::Scrub(), record);
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(kv.Transact({{keys::Scrub(), kv::LockMode::kExclusive}}, write, kv::Durability::kBuffered));
  return written;
}

v1::ScrubReport ToScrubReport(const ScrubRecord& record) {
  v1::ScrubReport report;
  *report.mutable_started_at() = record.started_at();
  if (record.has_ended_at()) *report.mutable_ended_at() = record.ended_at();
  report.set_verified(record.verified());
  report.set_verified_bytes(record.verified_bytes());
  report.set_corrupt(record.corrupt());
  report.set_missing(record.missing());
  report.set_failed(record.failed());
  for (const ScrubFailure& failure : record.failures()) {
    v1::ScrubReport::Failure& shown = *report.add_failures();
    shown.set_digest(failure.digest());
    shown.set_error(failure.error());
  }
  return report;
}

class ObjectScrubber : public Scrubber {
 public:
  ObjectScrubber(kv::KvEngine* kv, const Clock* clock, BlobStorage* objects, const Options& options)
      : kv_(*kv),
        clock_(*clock),
        objects_(*objects),
        bytes_per_second_(options.bytes_per_second),
        quarantine_percent_max_(options.quarantine_percent_max),
        registry_(options.registry != nullptr ? options.registry : std::make_shared<prometheus::Registry>()),
        last_success_(prometheus::BuildGauge()
                          .Name("entrepot_scrub_last_success_timestamp_seconds")
                          .Help("When a pass over all blobs last ended; 0: never.")
                          .Register(*registry_)
                          .Add({})),
        verifier_(kv, clock, objects, registry_),
        corrupt_(kv, clock, registry_) {}

  absl::StatusOr<v1::ScrubReport> RunDue(absl::Duration interval, const Pace& pace) override {
    RETURN_IF_ERROR(corrupt_.EnsureCounted());
    RETURN_IF_ERROR(corrupt_.Recheck());
    if (!one_pass_.TryLock()) {
      ASSIGN_OR_RETURN(const std::optional<ScrubRecord> record, ReadScrubProgress(kv_));
      return ToScrubReport(record.value_or(ScrubRecord()));
    }
    absl::StatusOr<v1::ScrubReport> report = Continue(interval, pace);
    one_pass_.Unlock();
    return report;
  }

  absl::Status FollowOthers() override {
    RETURN_IF_ERROR(corrupt_.Recheck());
    ASSIGN_OR_RETURN(const std::optional<ScrubRecord> record, ReadScrubProgress(kv_));
    if (record.has_value()) ShowSuccess(*record);
    const absl::Time ended_at =
        record.has_value() && record->has_ended_at() ? FromTimestamp(record->ended_at()) : absl::InfinitePast();
    if (absl::ToUnixMicros(ended_at) <= counted_until_micros_) return corrupt_.EnsureCounted();
    return CountUntil(ended_at);
  }

  absl::StatusOr<v1::ScrubReport> RunNow(const Pace& pace) override {
    const absl::Time now = clock_.Now();
    return Run(Pass{.record = Begin(now), .bytes_per_second = 0, .resumable = false, .saved_at = now}, pace);
  }

  absl::Status VerifyReported(const Digest& digest, const StorageKey& storage_key) override {
    ASSIGN_OR_RETURN(const std::optional<BlobRecord> record, kv::ReadRecord<BlobRecord>(kv_, keys::Blob(digest)));
    const bool is_current =
        record.has_value() && record->state() == BlobRecord::LIVE && record->storage_key() == storage_key.ToString();
    if (!is_current) return absl::OkStatus();
    const Blob blob{.digest = digest, .size_bytes = record->size_bytes(), .storage_key = storage_key};
    return VerifyBlob(blob, /*bytes_per_second=*/0).status();
  }

  void Stop() override { objects_.StopVerifying(); }

  absl::Status FillStatus(v1::MaintenanceStatus* status) override {
    ASSIGN_OR_RETURN(const std::optional<ScrubRecord> record, ReadScrubProgress(kv_));
    if (record.has_value()) *status->mutable_scrub() = ToScrubReport(*record);
    return corrupt_.FillStatus(status);
  }

 private:
  static ScrubRecord Begin(absl::Time now) {
    ScrubRecord record;
    *record.mutable_started_at() = ToTimestamp(now);
    return record;
  }

  void ShowSuccess(const ScrubRecord& record) {
    if (record.has_ended_at())
      last_success_.Set(absl::ToDoubleSeconds(FromTimestamp(record.ended_at()) - absl::UnixEpoch()));
  }

  absl::StatusOr<v1::ScrubReport> Continue(absl::Duration interval, const Pace& pace) {
    ASSIGN_OR_RETURN(std::optional<ScrubRecord> record, ReadScrubProgress(kv_));
    const absl::Time now = clock_.Now();
    if (record.has_value() && record->has_ended_at()) {
      ShowSuccess(*record);
      if (now < FromTimestamp(record->ended_at()) + interval) return ToScrubReport(*record);
      record.reset();
    }
    return Run(Pass{.record = record.has_value() ? *std::move(record) : Begin(now),
                    .bytes_per_second = bytes_per_second_,
                    .resumable = true,
                    .saved_at = now},
               pace);
  }

  absl::StatusOr<v1::ScrubReport> Run(Pass pass, const Pace& pace) {
    const absl::StatusOr<Ending> ending = Walk(&pass, pace);
    if (!ending.ok() || *ending == Ending::kStopped) {
      if (pass.resumable) RETURN_IF_ERROR(WriteScrubProgress(kv_, pass.record).status());
      RETURN_IF_ERROR(ending.status());
      return ToScrubReport(pass.record);
    }
    if (*ending == Ending::kDone) {
      *pass.record.mutable_ended_at() = ToTimestamp(clock_.Now());
      RETURN_IF_ERROR(WriteScrubProgress(kv_, pass.record).status());
      ShowSuccess(pass.record);
    }
    RETURN_IF_ERROR(CountUntil(clock_.Now()));
    return ToScrubReport(pass.record);
  }

  absl::Status CountUntil(absl::Time passes_ended) {
    RETURN_IF_ERROR(corrupt_.Count());
    counted_until_micros_ = absl::ToUnixMicros(passes_ended);
    return absl::OkStatus();
  }

  absl::StatusOr<Ending> Walk(Pass* pass, const Pace& pace) {
    for (;;) {
      const std::string& done = pass->record.done();
      ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> page,
                       kv_.Scan({.prefix = keys::Blobs(),
                                 .start_after = done.empty() ? "" : absl::StrCat(keys::Blobs(), done),
                                 .limit = kPage}));
      if (page.empty()) return Ending::kDone;
      for (const kv::KeyValue& entry : page) {
        if (pass->resumable) RETURN_IF_ERROR(CheckShare(pass->record));
        absl::StatusOr<uint64_t> bytes = Scrub(entry, pass);
        if (!bytes.ok()) {
          RETURN_IF_ERROR(Leave(entry.key.substr(keys::Blobs().size()), bytes.status(), &pass->record));
          bytes = 0;
        }
        pass->record.set_done(entry.key.substr(keys::Blobs().size()));
        if (!pace(1, *bytes)) return Ending::kStopped;
      }
      ASSIGN_OR_RETURN(const bool superseded, SaveIfDue(pass));
      if (superseded) return Ending::kSuperseded;
    }
  }

  // Notes that a blob could not be verified or quarantined. An error: the pass cannot go on, and stops at this blob.
  absl::Status Leave(const std::string& digest, const absl::Status& status, ScrubRecord* record) {
    if (absl::IsCancelled(status)) return status;
    // If the blob service answers, only this blob's object is broken.
    if (!objects_.ReadOwner().ok()) return status;
    runtime::Log(runtime::LogLevel::kWarning, "the scrub could not verify a blob, and goes on",
                 {{"digest", digest}, {"error", status.message()}});
    verifier_.CountFailed();
    record->set_failed(record->failed() + 1);
    if (record->failures_size() == kFailuresListed) return absl::OkStatus();
    ScrubFailure& failure = *record->add_failures();
    failure.set_digest(digest);
    failure.set_error(std::string(status.message()));
    return absl::OkStatus();
  }

  // So much damage has a cause that is better repaired first, such as bad memory or a disk of other data.
  absl::Status CheckShare(const ScrubRecord& record) const {
    const uint64_t damaged = record.corrupt() + record.missing();
    const uint64_t all = damaged + record.verified();
    if (damaged <= kAlwaysQuarantined || damaged * 100 <= quarantine_percent_max_ * all) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(
        damaged, " of ", all, " blobs are damaged or missing: more than collector.quarantine_percent_max (",
        quarantine_percent_max_,
        ") allows, so the pass stops. Check the disk and the memory of the machine; entrepotctl ",
        "scrub run goes on nevertheless"));
  }

  absl::StatusOr<bool> SaveIfDue(Pass* pass) {
    const absl::Time now = clock_.Now();
    if (!pass->resumable || now - pass->saved_at < kSaveInterval) return false;
    pass->saved_at = now;
    RETURN_IF_ERROR(corrupt_.Recheck());
    ASSIGN_OR_RETURN(const bool saved, WriteScrubProgress(kv_, pass->record));
    return !saved;
  }

  // Returns the number of bytes that were read.
  absl::StatusOr<uint64_t> Scrub(const kv::KeyValue& entry, Pass* pass) {
    const absl::StatusOr<keys::Decoded> key = keys::Decode(entry.key);
    const absl::StatusOr<BlobRecord> record = kv::ParseRecord<BlobRecord>(entry.key, entry.value);
    const absl::StatusOr<Blob> blob = !key.ok()     ? absl::StatusOr<Blob>(key.status())
                                      : record.ok() ? ToBlob(*key->digest, *record)
                                                    : absl::StatusOr<Blob>(record.status());
    if (!blob.ok()) {
      // The check of invariants reports such records; the scrub continues with the next blob.
      runtime::Log(runtime::LogLevel::kError, "the scrub skipped a blob whose record cannot be read",
                   {{"error", blob.status().message()}});
      return 0;
    }
    if (record->state() == BlobRecord::CORRUPT) {
      // Again, in case it failed when the blob was marked.
      RETURN_IF_ERROR(objects_.Quarantine(blob->storage_key));
      return 0;
    }
    if (record->state() != BlobRecord::LIVE) return 0;
    ASSIGN_OR_RETURN(const Finding finding, VerifyBlob(*blob, pass->bytes_per_second));
    return Note(finding, blob->size_bytes, &pass->record);
  }

  absl::StatusOr<Finding> VerifyBlob(const Blob& blob, uint64_t bytes_per_second) {
    ASSIGN_OR_RETURN(const Finding finding, verifier_.Verify(blob, bytes_per_second));
    if (finding == Finding::kCorrupt || finding == Finding::kMissing) corrupt_.Add(blob.digest);
    return finding;
  }

  static uint64_t Note(Finding finding, uint64_t size_bytes, ScrubRecord* record) {
    switch (finding) {
      case Finding::kGood:
        record->set_verified(record->verified() + 1);
        record->set_verified_bytes(record->verified_bytes() + size_bytes);
        return size_bytes;
      case Finding::kCorrupt:
        record->set_corrupt(record->corrupt() + 1);
        return size_bytes;
      case Finding::kMissing:
        record->set_missing(record->missing() + 1);
        return 0;
      case Finding::kNoLongerLive:
        return 0;
    }
    return 0;
  }

  kv::KvEngine& kv_;
  const Clock& clock_;
  BlobStorage& objects_;
  const uint64_t bytes_per_second_;
  const uint64_t quarantine_percent_max_;
  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Gauge& last_success_;
  BlobVerifier verifier_;
  CorruptBlobs corrupt_;
  // Held by the call that continues the saved pass.
  absl::Mutex one_pass_;
  // The blobs that passes have marked until then are counted.
  std::atomic<int64_t> counted_until_micros_{std::numeric_limits<int64_t>::min()};
};

}  // namespace

std::unique_ptr<Scrubber> Scrubber::Create(kv::KvEngine* kv, const Clock* clock, BlobStorage* objects,
                                           const Options& options) {
  return std::make_unique<ObjectScrubber>(kv, clock, objects, options);
}

}  // namespace entrepot::manifest
