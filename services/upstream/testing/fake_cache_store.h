#ifndef ENTREPOT_SERVICES_UPSTREAM_TESTING_FAKE_CACHE_STORE_H_
#define ENTREPOT_SERVICES_UPSTREAM_TESTING_FAKE_CACHE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/upstream/store/cache_store.h"

namespace entrepot::upstream {

// A CacheStore in memory, for tests. It keeps any manifest. Thread-safe.
class FakeCacheStore : public CacheStore {
 public:
  absl::StatusOr<StoredManifest> FindManifest(const RepositoryName& repository, const Reference& reference,
                                              bool metadata_only) override;
  absl::StatusOr<Digest> PutManifest(const RepositoryName& repository, const std::string& upstream,
                                     const std::string& media_type, const std::string& content,
                                     const std::optional<Tag>& tag) override;
  absl::StatusOr<Blob> FindBlob(const RepositoryName& repository, const Digest& digest) override;
  absl::StatusOr<std::unique_ptr<BlobWriter>> WriteBlob(const RepositoryName& repository, const std::string& upstream,
                                                        const Digest& digest) override;
  absl::StatusOr<bool> ClaimFetch(const FetchClaim& claim) override;
  absl::StatusOr<TagPage> ListTags(const RepositoryName& repository, size_t limit, absl::string_view last) override;
  // Answers as SetEviction() states, and evicts nothing.
  absl::StatusOr<types::v1::CacheEviction> MakeRoom(const RoomRequest& request) override;
  void Stop() override {}

  void SetEviction(types::v1::CacheEviction eviction);
  // The requests of MakeRoom() so far.
  std::vector<RoomRequest> room_requests() const;
  // The bytes of a blob that the repository has; nullopt if it has none.
  std::optional<std::string> BlobOf(const RepositoryName& repository, const Digest& digest) const;
  // Makes the repository have the blob.
  Digest AddBlob(const RepositoryName& repository, const std::string& content);
  // How often a writer was made, and a blob was committed.
  int writers() const;
  int commits() const;
  int manifests_put() const;

  // From now on all calls fail so; OK ends it.
  void FailAll(absl::Status status);
  // From now on a writer's Append() fails so that would make its bytes more than `bytes`.
  void FailAppends(uint64_t bytes, absl::Status status);
  void FailCommits(absl::Status status);
  // Commits wait until AllowCommits().
  void HoldCommits();
  void AllowCommits();
  bool commit_waits() const;
  // The holder of the claim on the digest, "" if there is none. Claims here end only when they are given up, or by
  // EndClaims().
  std::string ClaimHolder(const std::string& upstream, const Digest& digest) const;
  void EndClaims();
  // Calls of ClaimFetch() of that holder.
  int claim_calls(const std::string& holder) const;

 private:
  class Writer;
  using Key = std::pair<std::string, std::string>;  // Repository; digest or tag.

  mutable absl::Mutex mutex_;
  std::map<Key, StoredManifest> manifests_ ABSL_GUARDED_BY(mutex_);
  std::map<Key, std::string> tags_ ABSL_GUARDED_BY(mutex_);  // The digest.
  std::map<Key, std::string> blobs_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> upstreams_ ABSL_GUARDED_BY(mutex_);  // Of the repositories.
  std::map<Key, std::string> claims_ ABSL_GUARDED_BY(mutex_);             // By upstream and digest: the holder.
  std::map<std::string, int> claim_calls_ ABSL_GUARDED_BY(mutex_);        // By holder.
  int writers_ ABSL_GUARDED_BY(mutex_) = 0;
  int commits_ ABSL_GUARDED_BY(mutex_) = 0;
  int manifests_put_ ABSL_GUARDED_BY(mutex_) = 0;
  types::v1::CacheEviction eviction_ ABSL_GUARDED_BY(mutex_);
  std::vector<RoomRequest> room_requests_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  absl::Status append_failure_ ABSL_GUARDED_BY(mutex_);
  uint64_t append_bytes_max_ ABSL_GUARDED_BY(mutex_) = std::numeric_limits<uint64_t>::max();
  absl::Status commit_failure_ ABSL_GUARDED_BY(mutex_);
  bool commits_held_ ABSL_GUARDED_BY(mutex_) = false;
  int commits_waiting_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_TESTING_FAKE_CACHE_STORE_H_
