#ifndef ENTREPOT_SERVICES_MANIFEST_GC_COLLECTION_DRY_RUN_H_
#define ENTREPOT_SERVICES_MANIFEST_GC_COLLECTION_DRY_RUN_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/core/blob_storage.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/gc/collection_run.h"

namespace entrepot::manifest {

// Reports in `run` what a collection would remove if all leases and graces were over and no read were under way: blobs
// that would be deleted (as doomed), deletable objects (as swept) and abandoned uploads. Writes nothing.
absl::Status DryRunCollection(kv::KvReader& kv, BlobStorage& objects, absl::Time now, CollectionRun* run);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GC_COLLECTION_DRY_RUN_H_
