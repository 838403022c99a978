#ifndef ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_USAGE_H_
#define ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_USAGE_H_

#include "absl/status/statusor.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/core/time/pace.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// What each repository holds, shared and its own, and what deduplication saves. Reads all records once, without locks,
// in memory that grows with the number of repositories alone.
absl::StatusOr<v1::Usage> MeasureUsage(kv::KvReader& kv, const Pace& pace);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_USAGE_H_
