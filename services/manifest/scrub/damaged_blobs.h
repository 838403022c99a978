#ifndef ENTREPOT_SERVICES_MANIFEST_SCRUB_DAMAGED_BLOBS_H_
#define ENTREPOT_SERVICES_MANIFEST_SCRUB_DAMAGED_BLOBS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/core/blob_storage.h"
#include "services/core/time/clock.h"
#include "services/core/time/stop_signal.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

struct DamagedBlobs {
  // One line for each blob that is CORRUPT now, like a violation of I1: its digest and what is wrong.
  std::vector<std::string> lines;
  // The bytes of the other blobs, which were read.
  uint64_t verified_bytes = 0;
};

// Reads all LIVE blobs of a registry that is not running, and marks the damaged and missing ones CORRUPT, as the
// scrubber does. An error: a blob could not be verified or a record not be read; some blobs may be marked. kCancelled
// if `pace` stopped it.
absl::StatusOr<DamagedBlobs> MarkDamagedBlobs(kv::KvEngine& kv, const Clock& clock, BlobStorage& objects,
                                              const Pace& pace);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_SCRUB_DAMAGED_BLOBS_H_
