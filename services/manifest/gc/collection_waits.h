#ifndef ENTREPOT_SERVICES_MANIFEST_GC_COLLECTION_WAITS_H_
#define ENTREPOT_SERVICES_MANIFEST_GC_COLLECTION_WAITS_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/core/blob_storage.h"
#include "services/core/time/stop_signal.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// What takes space and no manifest needs, and until when it waits. Blobs that are due now do not count: the next run
// reviews them. Reads without locks. Looks at the first `limit` entries of the queue that are due later than `now`, at
// the first `limit` intents, and at the first `limit` quarantined objects, so that the cost does not grow with the
// queue; the end of the queue then bounds the times of the rest. Ends early, with what it has, if `pace` returns false.
absl::StatusOr<v1::Waits> ReadWaits(kv::KvReader& kv, BlobStorage& objects, absl::Time now, size_t limit,
                                    const Pace& pace);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GC_COLLECTION_WAITS_H_
