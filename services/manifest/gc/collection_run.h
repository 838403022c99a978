#ifndef ENTREPOT_SERVICES_MANIFEST_GC_COLLECTION_RUN_H_
#define ENTREPOT_SERVICES_MANIFEST_GC_COLLECTION_RUN_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/core/time/clock.h"
#include "services/core/time/stop_signal.h"

namespace entrepot::manifest {

// The progress of one run of the collector: its report so far, its first failure, and whether it must stop. Not
// thread-safe.
class CollectionRun {
 public:
  // Both must outlive the run.
  CollectionRun(const Clock* clock, const Pace* pace);

  v1::Collection& report() { return report_; }
  // Call it after each step with the cost of the step: waits for as long as the pace demands. Returns false if the run
  // must stop.
  bool KeepPace(uint64_t operations, uint64_t bytes);
  bool stopped() const { return stopped_; }

  // A step failed, and the run goes on with the next one. kCancelled stops the run.
  void NoteFailure(const absl::Status& status);
  // Count the outcome of each step whose failure may have a cause that concerns all steps, such as a full disk: after
  // several failures in a row the rest of that part of the run is left for the next run.
  void CountSuccess() { failures_in_a_row_ = 0; }
  // NoteFailure(), and returns true if the rest must be left.
  bool CountFailure(const absl::Status& status);
  // OK if nothing failed.
  const absl::Status& first_failure() const { return first_failure_; }

  v1::Collection Finish() &&;

 private:
  const Clock* const clock_;
  const Pace* const pace_;
  v1::Collection report_;
  bool stopped_ = false;
  int failures_in_a_row_ = 0;
  absl::Status first_failure_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GC_COLLECTION_RUN_H_
