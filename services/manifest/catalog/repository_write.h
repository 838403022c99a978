#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_WRITE_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_WRITE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/caller.h"
#include "services/core/repository_name.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/records/catalog_locks.h"

namespace entrepot::manifest {

// What every transaction that writes to a repository does besides: it keeps the repository from being deleted
// meanwhile, refuses tokens from before the last deletion, and makes the repository with the first thing that is pushed
// to it. Pushes to one that is there hold it side by side; only who makes it, or deletes it, holds it alone.
class RepositoryWrite {
 public:
  enum class Kind { kPush, kRemoval };

  // Looks before the transaction, and asks for the lock. The errors of CheckToken(); NAME_UNKNOWN for a removal from a
  // deleted repository; BeingDeleted(). `caller` must outlive it.
  static absl::StatusOr<RepositoryWrite> Plan(kv::KvReader& kv, const Caller& caller, const RepositoryName& repository,
                                              Kind kind, CatalogLocks* locks);

  // The first thing within the transaction; the errors of Plan(). BeingDeleted() also where it has been deleted since.
  absl::Status Enter(kv::KvReader& transaction) const;
  // Within the transaction of a push, once there is something to write.
  absl::Status EnsureThere(kv::KvTransaction& transaction, absl::Time now) const;

 private:
  RepositoryWrite(const Caller* caller, const RepositoryName& repository, Kind kind, bool is_there)
      : caller_(caller), repository_(repository), kind_(kind), is_there_(is_there) {}

  const Caller* caller_;
  RepositoryName repository_;
  Kind kind_;
  bool is_there_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_WRITE_H_
