#ifndef ENTREPOT_SERVICES_MANIFEST_CHECK_CATALOG_INVARIANTS_H_
#define ENTREPOT_SERVICES_MANIFEST_CHECK_CATALOG_INVARIANTS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/core/object_access.h"
#include "services/core/storage_key.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

struct InvariantOptions {
  // OK where an object of that size lies under that key; else what is wrong. Asked for each blob that is not known to
  // be corrupt. None: not checked.
  std::function<absl::Status(const StorageKey&, uint64_t size_bytes)> check_object = {};
  // Objects that no session names and that are old enough to be somebody's or garbage, as ObjectAccess::ListUnclaimed()
  // gives them. None: I4 is not checked.
  std::function<absl::StatusOr<StoredObjectPage>(const std::string& start_after, size_t limit)> list_objects = {};
  // A blob that is marked as corrupt and needed breaks I1 until a push heals it. false: that is expected.
  bool report_corrupt = true;
  // Where to stop: a broken registry breaks many at once.
  size_t violations_max = 1000;
};

// Holds every record of the catalog against every other (design, section 5), and returns what does not fit, a line
// each; none where all is well. The lines start with the invariant: I1 (references have their blobs), I2 (no intent
// names live bytes), I4 (objects are somebody's, or garbage), I5 (garbage will be found), I6 (what is served is what
// was pushed), or with "record".
//
// It reads without locks, record by record: on a registry that is being written to, a line may be of a change that was
// seen half, and counts only if a second run has it too. An error where the KV cannot be read.
absl::StatusOr<std::vector<std::string>> CheckInvariants(kv::KvReader& kv, const InvariantOptions& options);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CHECK_CATALOG_INVARIANTS_H_
