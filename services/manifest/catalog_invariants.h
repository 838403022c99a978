#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_INVARIANTS_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_INVARIANTS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/core/storage_key.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

struct InvariantOptions {
  // OK where an object of that size lies under that key; else what is wrong. Asked for each blob. None: not checked.
  std::function<absl::Status(const StorageKey&, uint64_t size_bytes)> check_object;
  // Where to stop: a broken registry breaks many at once.
  size_t violations_max = 1000;
};

// Holds every record of the catalog against every other (design, section 5), and returns what does not fit, a line
// each; none where all is well. The lines start with the invariant: I1 (references have their blobs), I2 (no intent
// names live bytes), I5 (garbage will be found), I6 (what is served is what was pushed), or with "record".
//
// It reads without locks, record by record: on a registry that is being written to, a line may be of a change that was
// seen half, and counts only if a second run has it too. An error where the KV cannot be read.
absl::StatusOr<std::vector<std::string>> CheckInvariants(kv::KvReader& kv, const InvariantOptions& options);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_INVARIANTS_H_
