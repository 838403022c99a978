#ifndef ENTREPOT_SERVICES_MANIFEST_GC_DELETION_PAUSE_H_
#define ENTREPOT_SERVICES_MANIFEST_GC_DELETION_PAUSE_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// Keeps objects from being deleted or quarantined while a backup copies them, in all processes that share the KV: the
// record g/pause.
//
// A transaction that finds out which objects may be deleted or quarantined holds LockToAsk() and calls InForce(). If no
// pause is in force, the records state already, before any later pause, that no blob has these objects. So it does no
// harm if they are deleted during a pause, however late: a backup copies records of which none names them. If a pause
// is in force, they are left for a later run.
//
// A pause that is not renewed, because its process has ended, ends after kLifetime. Thread-safe.
class DeletionPause {
 public:
  static constexpr absl::Duration kLifetime = absl::Minutes(10);

  // Both must outlive the DeletionPause.
  DeletionPause(kv::KvEngine* kv, const Clock* clock) : kv_(*kv), clock_(*clock) {}

  // Begins a pause and returns its name. Any number of pauses may be in force.
  absl::StatusOr<std::string> Begin();
  // Extends a pause to kLifetime from now. kFailedPrecondition: it has ended, and objects may have been deleted since.
  absl::Status Renew(const std::string& name);
  absl::Status End(const std::string& name);
  // For the start of the only process that writes these records: ends what another one, or a backup, has left.
  absl::Status EndAll();

  static kv::Lock LockToAsk();
  // Also true for a pause that was not renewed in time, until RemoveEnded() removes it.
  static absl::StatusOr<bool> InForce(kv::KvReader& kv);
  // Only reads, unless there is a pause that was not renewed in time.
  absl::Status RemoveEnded();

 private:
  // Returns false if nothing is to be written.
  using Change = std::function<absl::StatusOr<bool>(storage::v1::DeletionPauseRecord*)>;
  absl::Status ChangeRecord(const Change& change);

  kv::KvEngine& kv_;
  const Clock& clock_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GC_DELETION_PAUSE_H_
