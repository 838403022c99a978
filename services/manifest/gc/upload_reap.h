#ifndef ENTREPOT_SERVICES_MANIFEST_GC_UPLOAD_REAP_H_
#define ENTREPOT_SERVICES_MANIFEST_GC_UPLOAD_REAP_H_

#include "absl/status/statusor.h"
#include "services/core/content.h"
#include "services/core/object_access.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// Settles what becomes of a sealed upload of which the blob service never heard again: it is a blob's bytes, or is to
// be deleted; then the blob service may forget it. true where it is to be deleted.
absl::StatusOr<bool> ReapUpload(kv::KvEngine& kv, const Clock& clock, ObjectAccess& objects, const Blob& upload);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GC_UPLOAD_REAP_H_
