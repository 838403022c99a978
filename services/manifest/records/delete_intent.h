#ifndef ENTREPOT_SERVICES_MANIFEST_RECORDS_DELETE_INTENT_H_
#define ENTREPOT_SERVICES_MANIFEST_RECORDS_DELETE_INTENT_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/core/content.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// Leaves it to the collector to delete the bytes, which are no blob's from now on. One that is there already stays; a
// suspect is one no more. Within a transaction that holds the object exclusively.
absl::Status EnsureDeleteIntent(kv::KvTransaction& transaction, const Blob& blob, absl::Time now);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RECORDS_DELETE_INTENT_H_
