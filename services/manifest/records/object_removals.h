#ifndef ENTREPOT_SERVICES_MANIFEST_RECORDS_OBJECT_REMOVALS_H_
#define ENTREPOT_SERVICES_MANIFEST_RECORDS_OBJECT_REMOVALS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// The version of the removals, by which a commit that has seen an object without holding x/<K> learns under x/<K>
// whether the object may have gone since. A deletion or a quarantine of an object removes x/<K> last, in a transaction
// that changes the version. So if the version is the one from before the commit saw the object, and x/<K> does not
// exist, the object is there.
//
// The version is random: a failover may lose the last change, and a count would then have the same value twice.

// 0 if no object was ever removed.
absl::StatusOr<uint64_t> ReadObjectRemovals(kv::KvReader& kv);

// Changes the version. The transaction must hold ObjectRemovalsLock().
absl::Status NoteObjectRemoval(kv::KvTransaction& transaction);
kv::Lock ObjectRemovalsLock();

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RECORDS_OBJECT_REMOVALS_H_
