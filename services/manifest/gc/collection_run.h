#ifndef ENTREPOT_SERVICES_MANIFEST_GC_COLLECTION_RUN_H_
#define ENTREPOT_SERVICES_MANIFEST_GC_COLLECTION_RUN_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/core/time/clock.h"
#include "services/core/time/pace.h"

namespace entrepot::manifest {

// One run of the collector: what it has done so far, what went wrong first, and whether it is to go on. Not
// thread-safe.
class CollectionRun {
 public:
  // Both outlive it.
  CollectionRun(const Clock* clock, const Pace* pace);

  v1::Collection& report() { return report_; }
  // After each step: waits for as long as it cost too much. false: stop.
  bool Go(uint64_t operations, uint64_t bytes);
  bool stopped() const { return stopped_; }

  // Where it goes wrong time after time the rest of that part is left for the next run.
  void Succeeded() { failures_in_a_row_ = 0; }
  // true: leave it. kCancelled stops the run.
  bool Failed(const absl::Status& status);
  // Ok where nothing did.
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
