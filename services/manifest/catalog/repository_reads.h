#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_READS_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_READS_H_

#include <atomic>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/core/caller.h"
#include "services/core/repository_name.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// Whether a read may show what a repository holds. Reads without a token cost nothing: their caller cannot have one
// that is too old, and the content of a deleted repository is gone, unless a deletion is under way. Nor do any as long
// as no repository has been deleted: all deletions are this process's, whose KV is its own. Thread-safe.
class RepositoryReads {
 public:
  explicit RepositoryReads(kv::KvEngine* kv) : kv_(kv) {}

  // Finds the deletions of earlier runs, and those that they left unfinished. Before anything else.
  absl::Status Recover();

  // Whether the repository's record must be looked at. Whoever reads without it asks once more after reading.
  bool MustAsk(const Caller& caller) const {
    return deleting_ > 0 || (deleted_any_ && caller.token_issued_at != absl::InfiniteFuture());
  }
  // CheckVisible() (repository_record.h), reading the record where it must.
  absl::Status Check(const Caller& caller, const RepositoryName& repository) const;
  // The same for a record that was read together with others: its value under keys::Repository().
  static absl::Status CheckValue(const Caller& caller, const RepositoryName& repository,
                                 const std::optional<std::string>& value);

  // Around a deletion: from before the record says so until the content is gone.
  void DeletionBegins() {
    deleted_any_ = true;
    ++deleting_;
  }
  void DeletionEnds() { --deleting_; }

 private:
  kv::KvEngine* const kv_;
  std::atomic<int> deleting_{0};
  std::atomic<bool> deleted_any_{false};
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_READS_H_
