#ifndef ENTREPOT_SERVICES_MANIFEST_CHECK_CATALOG_CHECK_H_
#define ENTREPOT_SERVICES_MANIFEST_CHECK_CATALOG_CHECK_H_

#include "absl/status/statusor.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/core/blob_storage.h"
#include "services/core/time/stop_signal.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

struct CatalogCheckOptions {
  // Also read and hash all objects.
  bool rehash = false;
  // Whether the registry is running. Then records may change meanwhile, and a violation counts only if a second run
  // reports it too. Orphans are reported only then: a running collector should have quarantined them; in a stopped
  // registry or a backup they are normal.
  bool online = false;
};

// Checks the records against one another and against the objects that they name, for operators (catalog_invariants.h).
// An object that cannot be opened is a violation, and the check goes on. Returns an error if the KV or the blob service
// fails; kCancelled if `pace` stopped it.
absl::StatusOr<v1::InvariantReport> CheckCatalog(kv::KvReader& kv, BlobStorage& objects,
                                                 const CatalogCheckOptions& options, const Pace& pace);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CHECK_CATALOG_CHECK_H_
