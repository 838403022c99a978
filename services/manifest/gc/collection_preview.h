#ifndef ENTREPOT_SERVICES_MANIFEST_GC_COLLECTION_PREVIEW_H_
#define ENTREPOT_SERVICES_MANIFEST_GC_COLLECTION_PREVIEW_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/core/object_access.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/gc/collection_run.h"

namespace entrepot::manifest {

// Puts into the run's report what would go were no lease, grace or reader in the way: blobs as doomed, objects that
// wait to be deleted as swept, uploads that nobody committed as abandoned. Writes nothing.
absl::Status PreviewCollection(kv::KvReader& kv, ObjectAccess& objects, absl::Time now, CollectionRun* run);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GC_COLLECTION_PREVIEW_H_
