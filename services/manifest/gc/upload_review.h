#ifndef ENTREPOT_SERVICES_MANIFEST_GC_UPLOAD_REVIEW_H_
#define ENTREPOT_SERVICES_MANIFEST_GC_UPLOAD_REVIEW_H_

#include "absl/status/status.h"
#include "services/core/blob_storage.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/gc/collection_run.h"

namespace entrepot::manifest {

// Reviews all abandoned uploads (sealed uploads whose session has expired): if the blob's record names an upload's
// object, the upload was committed; otherwise its object becomes deletable, which the run's report counts as abandoned.
// In both cases the blob service may then forget the upload. Failures of single uploads are counted in the run.
absl::Status ReviewUploads(kv::KvEngine& kv, const Clock& clock, BlobStorage& objects, CollectionRun* run);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GC_UPLOAD_REVIEW_H_
