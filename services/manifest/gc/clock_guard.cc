#include "services/manifest/gc/clock_guard.h"

#include <algorithm>
#include <cstddef>
#include <ctime>

#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/text/lower_hex.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/runtime/log/json_log.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using storage::v1::ClockRecord;

constexpr absl::Duration kStepMin = absl::Minutes(5);
constexpr absl::Duration kSaveInterval = absl::Minutes(10);
constexpr size_t kNameBytes = 8;

}  // namespace

absl::Duration ClockGuard::SinceBoot() {
  struct timespec now = {};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return absl::DurationFromTimespec(now);
}

ClockGuard::ClockGuard(kv::KvEngine* kv, const Clock* clock, const Options& options)
    : kv_(*kv),
      clock_(*clock),
      options_(options),
      registry_(options.registry != nullptr ? options.registry : std::make_shared<prometheus::Registry>()),
      steps_(prometheus::BuildCounter()
                 .Name("entrepot_gc_clock_steps_total")
                 .Help("How often the system's clock was set by more than five minutes.")
                 .Register(*registry_)
                 .Add({})),
      hold_seconds_(prometheus::BuildGauge()
                        .Name("entrepot_gc_clock_hold_seconds")
                        .Help("For how long collection still holds back after the system's clock was set.")
                        .Register(*registry_)
                        .Add({})),
      others_(RandomLowerHex(kNameBytes)) {}

absl::Status ClockGuard::Check() {
  absl::MutexLock lock(&mutex_);
  if (!loaded_) RETURN_IF_ERROR(Load());
  const absl::Time now = clock_.Now();
  const absl::Duration since_boot = options_.since_boot();
  const absl::Duration step = (now - last_now_) - (since_boot - last_since_boot_);
  last_now_ = now;
  last_since_boot_ = since_boot;
  if (absl::AbsDuration(step) > kStepMin) NoteStep(step);
  if (held_until_.has_value() && *held_until_ <= since_boot) held_until_.reset();
  if (IsSaveDue(now, since_boot)) {
    const absl::Status saved = Save();
    // A full disk must not keep garbage from being deleted. What other processes know is needed.
    if (options_.shared) RETURN_IF_ERROR(saved);
  }
  hold_seconds_.Set(held_until_.has_value() ? absl::ToDoubleSeconds(*held_until_ - since_boot) : 0);
  if (!held_until_.has_value()) return options_.shared ? others_.Check() : absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the system's clock was set: collection holds back until ",
      absl::FormatTime("%Y-%m-%d %H:%M", now + (*held_until_ - since_boot), absl::UTCTimeZone()),
      " UTC, so that no lease or grace ends before its time. If the clock was right all the time, run entrepotctl gc "
      "accept clock"));
}

absl::Status ClockGuard::Accept() {
  absl::MutexLock lock(&mutex_);
  if (!loaded_) RETURN_IF_ERROR(Load());
  last_now_ = clock_.Now();
  last_since_boot_ = options_.since_boot();
  held_until_.reset();
  hold_changed_ = true;
  hold_seconds_.Set(0);
  return Save();
}

bool ClockGuard::IsSaveDue(absl::Time now, absl::Duration since_boot) const {
  if (now - saved_at_ >= kSaveInterval || now < saved_at_) return true;
  return options_.shared && since_boot - saved_since_boot_ >= ProcessClocks::kInterval;
}

absl::Status ClockGuard::Load() {
  ASSIGN_OR_RETURN(const std::optional<ClockRecord> record, kv::ReadRecord<ClockRecord>(kv_, keys::ClockState()));
  loaded_ = true;
  last_now_ = clock_.Now();
  last_since_boot_ = options_.since_boot();
  if (!record.has_value()) return absl::OkStatus();
  // Of shared records another process may have written it, by another clock: others_ compares them.
  const absl::Duration back = options_.shared ? absl::ZeroDuration() : FromTimestamp(record->seen_at()) - last_now_;
  if (back > kStepMin) {
    NoteStep(-back);
  } else if (record->has_held_until() && FromTimestamp(record->held_until()) > last_now_) {
    held_until_ = last_since_boot_ + std::min(FromTimestamp(record->held_until()) - last_now_, options_.hold);
  }
  return absl::OkStatus();
}

absl::Status ClockGuard::Save() {
  ClockRecord record;
  *record.mutable_seen_at() = ToTimestamp(last_now_);
  if (held_until_.has_value())
    *record.mutable_held_until() = ToTimestamp(last_now_ + (*held_until_ - last_since_boot_));
  RETURN_IF_ERROR(kv_.Transact(
      {{keys::ClockState(), kv::LockMode::kExclusive}},
      [&](kv::KvTransaction& transaction) -> absl::Status {
        if (options_.shared) {
          ASSIGN_OR_RETURN(const std::optional<ClockRecord> before,
                           kv::ReadRecord<ClockRecord>(transaction, keys::ClockState()));
          record = before.value_or(ClockRecord());
          Merge(&record);
        }
        kv::WriteRecord(transaction, keys::ClockState(), record);
        return absl::OkStatus();
      },
      kv::Durability::kBuffered));
  saved_at_ = last_now_;
  saved_since_boot_ = last_since_boot_;
  hold_changed_ = false;
  return absl::OkStatus();
}

void ClockGuard::Merge(ClockRecord* record) {
  *record->mutable_seen_at() = ToTimestamp(last_now_);
  if (!hold_changed_) {
    held_until_.reset();
    const absl::Duration left = FromTimestamp(record->held_until()) - last_now_;
    if (record->has_held_until() && left > absl::ZeroDuration()) {
      held_until_ = last_since_boot_ + std::min(left, options_.hold);
    }
  } else if (held_until_.has_value()) {
    *record->mutable_held_until() = ToTimestamp(last_now_ + (*held_until_ - last_since_boot_));
  } else {
    record->clear_held_until();
  }
  others_.Exchange(last_now_, last_since_boot_, record);
}

void ClockGuard::NoteStep(absl::Duration step) {
  steps_.Increment();
  held_until_ = last_since_boot_ + options_.hold;
  hold_changed_ = true;
  // Saved at once.
  saved_at_ = absl::InfinitePast();
  runtime::Log(runtime::LogLevel::kWarning, "the system's clock was set; collection holds back",
               {{"step", absl::FormatDuration(step)}, {"for", absl::FormatDuration(options_.hold)}});
}

}  // namespace entrepot::manifest
