#ifndef ENTREPOT_SERVICES_MANIFEST_CHECK_CATALOG_CHECK_H_
#define ENTREPOT_SERVICES_MANIFEST_CHECK_CATALOG_CHECK_H_

#include "absl/status/statusor.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/core/object_access.h"
#include "services/core/time/pace.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

struct CatalogCheckOptions {
  // Reads and hashes every object too.
  bool rehash = false;
  // A registry that runs. Others write meanwhile: what does not fit counts only if it does not fit the second time
  // either. Its collector should have found objects that nothing names; in one that was stopped, or in a backup, they
  // are nothing to wonder at.
  bool online = false;
};

// Holds records against one another and against the objects that they name: for operators (catalog_invariants.h). An
// error where that cannot be done; kCancelled where `pace` stopped it.
absl::StatusOr<v1::InvariantReport> CheckCatalog(kv::KvReader& kv, ObjectAccess& objects,
                                                 const CatalogCheckOptions& options, const Pace& pace);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CHECK_CATALOG_CHECK_H_
