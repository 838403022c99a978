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

// Decides whether a read may show the content of a repository. It avoids a read of the repository's record, which is
// needed only in two cases:
//   - A deletion is under way: some of the content may still be there.
//   - A repository was deleted at some time, and the caller has a token: the token may be older than the deletion.
// If this process makes all deletions, it knows of each. If the KV is shared, other processes delete too: then every
// read needs the record. Thread-safe.
class RepositoryReads {
 public:
  RepositoryReads(kv::KvEngine* kv, bool shared) : kv_(kv), shared_(shared) {}

  // Finds completed and interrupted deletions of earlier processes. Must be called before anything else.
  absl::Status Recover();

  // Whether the repository's record must be read. Call this before the read of the content. If it returns false, call
  // it again afterwards, because a deletion may have begun: if it then returns true, repeat the read with the record.
  bool MustAsk(const Caller& caller) const {
    return shared_ || deleting_ > 0 || (deleted_any_ && caller.token_issued_at != absl::InfiniteFuture());
  }
  // CheckVisible() (records/repository_record.h). Reads the record only if it must. Call it after the content was read:
  // a deletion may begin before.
  absl::Status Check(const Caller& caller, const RepositoryName& repository) const;
  // The same for a record that was read together with others; `value` is the value of keys::Repository().
  static absl::Status CheckValue(const Caller& caller, const RepositoryName& repository,
                                 const std::optional<std::string>& value);

  // Enclose a deletion: from before the record is marked as deleted until the content is gone.
  void DeletionBegins() {
    deleted_any_ = true;
    ++deleting_;
  }
  void DeletionEnds() { --deleting_; }

 private:
  kv::KvEngine* const kv_;
  const bool shared_;
  std::atomic<int> deleting_{0};
  std::atomic<bool> deleted_any_{false};
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_READS_H_
