#ifndef ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_USAGE_H_
#define ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_USAGE_H_

#include "absl/status/statusor.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/core/time/stop_signal.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// Measures how much each repository stores, shared and its own, and how much deduplication saves. Reads all records
// once, without locks. Its memory grows only with the number of repositories. kCancelled if `pace` stopped it.
absl::StatusOr<v1::Usage> MeasureUsage(kv::KvReader& kv, const Pace& pace);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_USAGE_H_
