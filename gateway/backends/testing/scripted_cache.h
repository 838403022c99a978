#ifndef ENTREPOT_GATEWAY_BACKENDS_TESTING_SCRIPTED_CACHE_H_
#define ENTREPOT_GATEWAY_BACKENDS_TESTING_SCRIPTED_CACHE_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "services/upstream/upstream_cache.h"

namespace entrepot::gateway {

// A fetch whose bytes a test lets arrive. Thread-safe.
class ScriptedFetch : public std::enable_shared_from_this<ScriptedFetch> {
 public:
  // The upstream has answered: the blob has this size.
  void Answer(uint64_t size_bytes);
  void Arrive(absl::string_view bytes);
  void Fail(const absl::Status& status);
  // From now on the bytes are in this file, too, as those of a fetch are.
  void KeepIn(const std::string& path);
  // All bytes have arrived and are stored.
  void Finish();

  std::unique_ptr<upstream::FetchReader> Open();
  // The number of functions that wait for bytes.
  size_t waiting() const;

 private:
  friend class ScriptedReader;

  struct Waiter {
    std::function<bool()> is_due;  // Called with mutex_ held.
    std::function<void()> ready;
  };
  template <typename Change>
  void Do(Change change);

  mutable absl::Mutex mutex_;
  std::string bytes_ ABSL_GUARDED_BY(mutex_);
  std::optional<uint64_t> size_bytes_ ABSL_GUARDED_BY(mutex_);
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  bool stored_ ABSL_GUARDED_BY(mutex_) = false;
  // Empty: they are in no file.
  std::string path_ ABSL_GUARDED_BY(mutex_);
  std::vector<Waiter> waiters_ ABSL_GUARDED_BY(mutex_);
};

// A cache whose answers a test writes: what it was not given is unknown. Not for changes while it is used.
class ScriptedCache : public upstream::UpstreamCache {
 public:
  // By repository and reference, and by digest.
  std::map<std::pair<std::string, std::string>, ResolvedManifest> manifests;
  std::map<std::string, uint64_t> stored_blobs;
  std::map<std::string, std::shared_ptr<ScriptedFetch>> fetches;
  // Of CountRecalled().
  RecalledCount recalled;
  std::vector<std::string> tags;
  std::vector<Referrer> referrers;
  // If it is not OK, every call gives it.
  absl::Status failure;
  // Of the last call that had one.
  std::string client;

  absl::StatusOr<ResolvedManifest> ResolveManifest(const RepositoryName& repository, const Reference& reference,
                                                   bool metadata_only) override;
  // Of `manifests`, if it is valid for some time.
  std::optional<RecalledTag> RecallTag(const RepositoryName& repository, const Tag& tag) override;
  void CountRecalled(const RepositoryName& repository, const RecalledCount& count) override;
  absl::StatusOr<upstream::v1::FindUpstreamBlobResponse> FindBlob(const RepositoryName& repository,
                                                                  const Digest& digest,
                                                                  const std::string& client) override;
  absl::StatusOr<std::variant<upstream::StoredBlob, std::unique_ptr<upstream::FetchReader>>> OpenBlob(
      const RepositoryName& repository, const Digest& digest, const std::string& client) override;
  absl::StatusOr<TagPage> ListTags(const RepositoryName& repository, size_t limit, absl::string_view last) override;
  absl::StatusOr<std::vector<Referrer>> ListReferrers(const RepositoryName& repository, const Digest& subject) override;
  upstream::v1::UpstreamList Status() const override;
  uint64_t BytesFetched(absl::string_view) const override { return 0; }
  void Stop() override;
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_TESTING_SCRIPTED_CACHE_H_
