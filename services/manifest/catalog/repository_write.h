#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_WRITE_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_WRITE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/core/caller.h"
#include "services/core/repository_name.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/records/catalog_locks.h"

namespace entrepot::manifest {

// What each transaction that writes to a repository must do in addition: it holds the repository, so that it is not
// deleted meanwhile; refuses tokens that were issued before the last deletion; and makes the repository with its first
// push. Writers of a repository that exists hold it shared; the call that makes or deletes it holds it exclusively.
class RepositoryWrite {
 public:
  enum class Kind { kPush, kRemoval };

  // Call it before the transaction: reads the record and adds the lock to `locks`. `cache_of` is the upstream that the
  // repository of a push must cache; empty: it must be hosted. kInvalidArgument: the repository's name does not begin
  // with `cache_of` and "/". Also returns the errors of CheckToken(); NAME_UNKNOWN for a removal from a deleted
  // repository; BeingDeleted(); for a push into a repository of the other kind UNSUPPORTED, if it is a cache, or
  // PRECONDITION_FAILED, if it is hosted or the cache of another upstream. `caller` must outlive the RepositoryWrite.
  static absl::StatusOr<RepositoryWrite> Plan(kv::KvReader& kv, const Caller& caller, const RepositoryName& repository,
                                              Kind kind, CatalogLocks* locks, absl::string_view cache_of = "");

  // Call it first within the transaction. Returns the errors of Plan(); BeingDeleted() also if the repository was
  // deleted after Plan().
  absl::Status Enter(kv::KvReader& transaction) const;
  // Call it within the transaction of a push that writes something: makes the repository unless it exists.
  absl::Status EnsureExists(kv::KvTransaction& transaction, absl::Time now) const;

 private:
  RepositoryWrite(const Caller* caller, const RepositoryName& repository, Kind kind, absl::string_view cache_of,
                  bool exists)
      : caller_(caller), repository_(repository), kind_(kind), cache_of_(cache_of), exists_(exists) {}

  const Caller* caller_;
  RepositoryName repository_;
  Kind kind_;
  std::string cache_of_;
  bool exists_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_WRITE_H_
