#ifndef ENTREPOT_SERVICES_MANIFEST_CHECK_CATALOG_INVARIANTS_H_
#define ENTREPOT_SERVICES_MANIFEST_CHECK_CATALOG_INVARIANTS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/core/blob_storage.h"
#include "services/core/storage_key.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

struct InvariantOptions {
  // Returns OK if an object of that size exists under the storage key; otherwise what is wrong. Called for each blob
  // that is not known to be corrupt. If empty, objects are not checked.
  std::function<absl::Status(const StorageKey&, uint64_t size_bytes)> check_object = {};
  // Returns the old objects that no session names, like BlobStorage::ListUnclaimed(): each must belong to a blob or
  // have an intent. If empty, I4 is not checked.
  std::function<absl::StatusOr<StoredObjectPage>(const std::string& start_after, size_t limit)> list_objects = {};
  // Whether to report CORRUPT blobs that manifests refer to. They violate I1 until a push heals them.
  bool report_corrupt = true;
  // The check stops after this number of violations: a broken registry has many.
  size_t violations_max = 1000;
};

// Checks all records of the catalog against one another (docs/records.md), and returns the violations, one line each.
// Each line starts with the invariant that is violated: I1 (references have their blobs), I2 (no intent names the bytes
// of a blob), I4 (each object belongs to a blob or has an intent), I5 (garbage will be reviewed), I6 (the content that
// is served is the content that was pushed), or with "record" (a record is unreadable or contradicts another one).
//
// Reads without locks, record by record: if the registry is being written to, a violation may be an artifact of a
// change that was read half, and counts only if a second run reports it too. Returns an error if the KV cannot be read.
absl::StatusOr<std::vector<std::string>> CheckInvariants(kv::KvReader& kv, const InvariantOptions& options);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CHECK_CATALOG_INVARIANTS_H_
