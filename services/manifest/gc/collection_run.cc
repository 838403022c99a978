#include "services/manifest/gc/collection_run.h"

#include <string>
#include <utility>

#include "services/core/time/proto_time.h"

namespace entrepot::manifest {
namespace {

constexpr int kFailuresInARowMax = 5;

}  // namespace

CollectionRun::CollectionRun(const Clock* clock, const Pace* pace) : clock_(clock), pace_(pace) {
  *report_.mutable_started_at() = ToTimestamp(clock_->Now());
}

bool CollectionRun::KeepPace(uint64_t operations, uint64_t bytes) {
  if (!stopped_ && *pace_ && !(*pace_)(operations, bytes)) stopped_ = true;
  return !stopped_;
}

void CollectionRun::NoteFailure(const absl::Status& status) {
  first_failure_.Update(status);
  if (absl::IsCancelled(status)) stopped_ = true;
}

bool CollectionRun::CountFailure(const absl::Status& status) {
  NoteFailure(status);
  return ++failures_in_a_row_ >= kFailuresInARowMax || stopped_;
}

v1::Collection CollectionRun::Finish() && {
  *report_.mutable_ended_at() = ToTimestamp(clock_->Now());
  if (!first_failure_.ok()) {
    report_.set_error(std::string(first_failure_.message()));
    if (report_.error().empty()) report_.set_error(first_failure_.ToString());
  } else if (stopped_) {
    report_.set_error("stopped before the end");
  }
  return std::move(report_);
}

}  // namespace entrepot::manifest
