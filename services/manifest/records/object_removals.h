#ifndef ENTREPOT_SERVICES_MANIFEST_RECORDS_OBJECT_REMOVALS_H_
#define ENTREPOT_SERVICES_MANIFEST_RECORDS_OBJECT_REMOVALS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// A count, by which a commit that has seen an object without holding x/<K> learns under x/<K> whether the object may
// have gone since. A deletion or a quarantine of an object removes x/<K> last, in a transaction that raises the count.
// So if the count is the one from before the commit saw the object, and x/<K> does not exist, the object is there.

// 0 if no object was ever removed.
absl::StatusOr<uint64_t> ReadObjectRemovals(kv::KvReader& kv);

// Raises the count. The transaction must hold ObjectRemovalsLock().
absl::Status CountObjectRemoval(kv::KvTransaction& transaction);
kv::Lock ObjectRemovalsLock();

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RECORDS_OBJECT_REMOVALS_H_
