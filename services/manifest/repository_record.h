#ifndef ENTREPOT_SERVICES_MANIFEST_REPOSITORY_RECORD_H_
#define ENTREPOT_SERVICES_MANIFEST_REPOSITORY_RECORD_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/repository_name.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/catalog_locks.h"

namespace entrepot::manifest {

absl::StatusOr<bool> RepositoryExists(kv::KvReader& kv, const RepositoryName& repository);

// Makes a repository with the first thing that is pushed to it. Pushes to one that is there take no lock on it, so
// that they do not wait for one another; that is safe since none is ever removed.
class RepositoryCreation {
 public:
  // Looks before the transaction whether there is anything to make, and if so asks for the lock.
  static absl::StatusOr<RepositoryCreation> Plan(kv::KvReader& kv, const RepositoryName& repository,
                                                 CatalogLocks* locks);
  // Within the transaction.
  absl::Status Apply(kv::KvTransaction& transaction, absl::Time now) const;

 private:
  RepositoryCreation(const RepositoryName& repository, bool exists) : repository_(repository), exists_(exists) {}

  RepositoryName repository_;
  bool exists_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_REPOSITORY_RECORD_H_
