#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_REMOVER_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_REMOVER_H_

#include <atomic>
#include <functional>
#include <utility>

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
#include "services/manifest/records/repository_record.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {

// Deletes repositories in three steps: marks the record as deleted and emptying, which hides the content and keeps
// writers out; removes tags, manifests and links, in transactions of some at a time; then marks the record as emptied.
// A deletion that was interrupted is finished later. Links are sorted by digest, so all links of the registry are read.
// Thread-safe.
class RepositoryRemover {
 public:
  // Called for a repository whose interrupted deletion stands in the way of a push: calls FinishInterrupted() on
  // another thread, and does not wait for it.
  using FinishElsewhere = std::function<void(const RepositoryName& repository)>;

  // All pointers must outlive the RepositoryRemover. If `finish_elsewhere` is empty, the push itself finishes the
  // deletion, which may take long.
  RepositoryRemover(kv::KvEngine* kv, const Clock* clock, const PolicyProvider* policy, RepositoryReads* reads,
                    FinishElsewhere finish_elsewhere)
      : kv_(kv), clock_(clock), policy_(policy), reads_(reads), finish_elsewhere_(std::move(finish_elsewhere)) {}

  // Deletes the repository with all its content. A blob's bytes are deleted once no repository needs the blob.
  // NAME_UNKNOWN; DENIED while the repository has a protected tag (TagGuard). The repository is gone for every caller
  // from the first moment on, even if the call is interrupted: a second call, or the first push to the name, removes
  // the rest. If another process deletes the repository at the same time, both remove it together. Returns the counts
  // of what this call removed; what both remove at once, both count. Takes as long as reading all links of the
  // registry. UNAVAILABLE after Stop().
  absl::StatusOr<RepositoryDeletion> Delete(const Caller& caller, const RepositoryName& repository);

  // Runs `push`, a push to the repository that returns an absl::Status or StatusOr. If an interrupted deletion of the
  // repository stands in its way, finishes the deletion and runs `push` again; or has it finished elsewhere, and
  // returns BeingDeleted().
  template <typename Push>
  auto RunAfterInterruptedDeletion(const RepositoryName& repository, const Push& push) -> decltype(push()) {
    auto result = push();
    if (!IsBeingDeleted(result.status())) return result;
    if (finish_elsewhere_) {
      finish_elsewhere_(repository);
      return result;
    }
    RETURN_IF_ERROR(FinishInterrupted(repository));
    return push();
  }

  // Finishes an interrupted deletion, if there is one. BeingDeleted() if another call is running a deletion.
  absl::Status FinishInterrupted(const RepositoryName& repository);

  // Call it before the process ends: deletions under way end between two transactions, and later ones at once.
  void Stop() { stopped_.store(true, std::memory_order_relaxed); }

 private:
  // A process that was frozen must not take part in a later deletion, of which it has not seen all content.
  struct Deletion {
    const RepositoryName& repository;
    // Different for each deletion of the repository.
    absl::Time began;
  };

  absl::StatusOr<RepositoryDeletion> DeleteLocked(const Caller& caller, const RepositoryName& repository);
  // Marks the record as deleted and emptying. Returns when the deletion began.
  absl::StatusOr<absl::Time> MarkDeleted(const Caller& caller, const RepositoryName& repository);
  // Removes everything and marks the record as emptied; ends early if another process has done so.
  absl::StatusOr<RepositoryDeletion> RemoveContent(const Deletion& deletion);
  absl::Status RemoveAll(const Deletion& deletion, RepositoryDeletion* counts);
  // Each adds what it removed to `removed`, also before an error.
  absl::Status RemoveTags(const Deletion& deletion, uint64_t* removed);
  absl::Status RemoveManifests(const Deletion& deletion, uint64_t* removed);
  absl::Status RemoveLinks(const Deletion& deletion, uint64_t* removed);
  absl::Status RemoveLinksTo(const Deletion& deletion, const std::vector<Digest>& digests);
  // UNAVAILABLE after Stop().
  absl::Status CheckRunning() const;
  absl::Status MarkEmptied(const Deletion& deletion);
  // Runs `fn` while no other transaction writes to the repository. kFailedPrecondition if its record does not say that
  // this deletion is emptying it: another process has removed the rest.
  absl::Status Transact(const Deletion& deletion, CatalogLocks locks, const kv::KvEngine::Function& fn);

  kv::KvEngine* const kv_;
  const Clock* const clock_;
  const PolicyProvider* const policy_;
  RepositoryReads* const reads_;
  const FinishElsewhere finish_elsewhere_;
  std::atomic<bool> stopped_{false};
  // One deletion at a time in this process.
  absl::Mutex mutex_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_REMOVER_H_
