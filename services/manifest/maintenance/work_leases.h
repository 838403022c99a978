#ifndef ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_WORK_LEASES_H_
#define ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_WORK_LEASES_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/time/clock.h"
#include "services/core/time/stop_signal.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// Lets one process of those that share the records do a piece of background work, while the others leave it: the record
// g/leases. A lease saves work, and protects nothing: all work may be done by several processes at once. Thread-safe.
class WorkLeases {
 public:
  // A holder that died or stands still keeps the others waiting for at most this long.
  static constexpr absl::Duration kLifetime = absl::Minutes(2);

  // Both must outlive the WorkLeases. If the records are not `shared`, all work is done here, and nothing is written.
  WorkLeases(kv::KvEngine* kv, const Clock* clock, bool shared);

  // Calls `work` unless another process holds the lease `name`, and gives the lease back afterwards. The lease is
  // renewed when `work` calls its pace, which returns false if `pace` does, or if another process has the lease by now:
  // this one stood still. Returns whether it called `work`.
  absl::StatusOr<bool> Run(const std::string& name, const Pace& pace,
                           const std::function<void(const Pace& pace)>& work);

 private:
  // Returns whether this process has the lease now.
  absl::StatusOr<bool> Acquire(const std::string& name);
  void Release(const std::string& name);

  kv::KvEngine& kv_;
  const Clock& clock_;
  const bool shared_;
  const std::string holder_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_WORK_LEASES_H_
