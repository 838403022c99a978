#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_REMOVER_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_REMOVER_H_

#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/core/caller.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/catalog/repository_reads.h"
#include "services/manifest/catalog/tag_guard.h"
#include "services/manifest/records/catalog_locks.h"

namespace entrepot::manifest {

// Deletes repositories. First the record says so, which hides what there is and keeps writers out; then tags, manifests
// and links go, some at a time, each time in a transaction; then the record says that all is gone. Whatever ends it
// half-way, somebody goes on later. Links are sorted by digest: all of the registry's are read. Thread-safe.
class RepositoryRemover {
 public:
  // All must outlive it.
  RepositoryRemover(kv::KvEngine* kv, const Clock* clock, const PolicyProvider* policy, RepositoryReads* reads)
      : kv_(kv), clock_(clock), policy_(policy), reads_(reads) {}

  // RegistryCatalog::DeleteRepository().
  absl::StatusOr<RepositoryDeletion> Delete(const Caller& caller, const RepositoryName& repository);
  // Goes on with a deletion that nobody is at work on any more, if there is one. BeingDeleted() where somebody is.
  absl::Status FinishInterrupted(const RepositoryName& repository);

 private:
  absl::StatusOr<RepositoryDeletion> DeleteLocked(const Caller& caller, const RepositoryName& repository);
  // Makes the record say that the repository is deleted.
  absl::Status Hide(const Caller& caller, const RepositoryName& repository);
  absl::StatusOr<RepositoryDeletion> Empty(const RepositoryName& repository);
  absl::StatusOr<uint64_t> RemoveTags(const RepositoryName& repository);
  absl::StatusOr<uint64_t> RemoveManifests(const RepositoryName& repository);
  absl::StatusOr<uint64_t> RemoveLinks(const RepositoryName& repository);
  absl::Status RemoveLinksTo(const RepositoryName& repository, const std::vector<Digest>& digests);
  absl::Status SayGone(const RepositoryName& repository);
  // Runs `fn` while nobody else writes to the repository, unless its content is gone already.
  absl::Status Transact(const RepositoryName& repository, CatalogLocks locks, const kv::KvEngine::Function& fn);

  kv::KvEngine* const kv_;
  const Clock* const clock_;
  const PolicyProvider* const policy_;
  RepositoryReads* const reads_;
  // One deletion at a time.
  absl::Mutex mutex_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_REMOVER_H_
