#ifndef ENTREPOT_SERVICES_MANIFEST_RECORDS_CATALOG_FORMAT_H_
#define ENTREPOT_SERVICES_MANIFEST_RECORDS_CATALOG_FORMAT_H_

#include "absl/status/status.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// Checks that the KV holds the layout that this program knows, and marks an empty one with it. kFailedPrecondition
// where it holds another one, or records without a mark.
absl::Status EnsureFormat(kv::KvEngine& kv);

// The same without writing: kFailedPrecondition where there is no mark.
absl::Status CheckFormat(kv::KvReader& kv);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RECORDS_CATALOG_FORMAT_H_
