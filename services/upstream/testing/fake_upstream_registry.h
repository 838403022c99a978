#ifndef ENTREPOT_SERVICES_UPSTREAM_TESTING_FAKE_UPSTREAM_REGISTRY_H_
#define ENTREPOT_SERVICES_UPSTREAM_TESTING_FAKE_UPSTREAM_REGISTRY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/upstream/registry/upstream_registry.h"

namespace entrepot::upstream {

// An upstream in memory that answers by a script, for tests. Thread-safe.
class FakeUpstreamRegistry : public UpstreamRegistry {
 public:
  // How GetBlob() answers for one digest.
  struct BlobScript {
    // The first calls fail so, before the head.
    std::vector<absl::Status> failures = {};
    // Each call after those breaks off before the byte of its offset, in this order; the calls after them go to the
    // end.
    std::vector<uint64_t> cuts = {};
    // What GetBlob() returns when it breaks off; OK looks like a whole body. By default kUnavailable.
    std::optional<absl::Status> cut_status = std::nullopt;
    // Sent in place of the content.
    std::optional<std::string> body = std::nullopt;
    bool tells_size = true;
    // In place of the size of what is sent.
    std::optional<uint64_t> told_size = std::nullopt;
    // The answer to an offset is the whole body.
    bool ignores_offset = false;
    size_t piece_bytes = 16384;
  };

  // Content of the upstream. Repositories need not be made.
  Digest AddBlob(const std::string& repository, const std::string& content);
  Digest AddManifest(const std::string& repository, const std::string& media_type, const std::string& content,
                     const std::optional<std::string>& tag = std::nullopt);
  void DeleteTag(const std::string& repository, const std::string& tag);
  void SetReferrers(const std::string& repository, const Digest& subject, std::vector<Referrer> referrers);
  void SetRateLimit(RateLimit limit);

  void SetScript(const Digest& digest, BlobScript script);
  // Calls of GetBlob() for the digest wait before they send the byte of the offset, until Release() or Stop().
  void HoldAt(const Digest& digest, uint64_t offset_bytes);
  void Release(const Digest& digest);
  // Whether a call waits there.
  bool Holds(const Digest& digest) const;
  // From now on all calls fail so, such as without a network; OK ends it.
  void FailAll(absl::Status status);
  // HeadManifest() gives kInvalid, as for an upstream that does not send the digest.
  void HideDigests();

  // The offsets of all calls of GetBlob() for the digest.
  std::vector<uint64_t> BlobReads(const Digest& digest) const;
  // The number of calls of GetBlob() for the digest.
  int blob_gets(const Digest& digest) const { return static_cast<int>(BlobReads(digest).size()); }
  // The most calls of GetBlob() that ran at once.
  int blob_gets_at_once() const;
  // The number of calls, by name: "HeadManifest".
  int calls(const std::string& name) const;
  bool stopped() const;

  absl::StatusOr<UpstreamManifest> HeadManifest(const std::string& repository, const Reference& reference) override;
  absl::StatusOr<UpstreamManifest> GetManifest(const std::string& repository, const Reference& reference) override;
  absl::StatusOr<UpstreamBlobHead> HeadBlob(const std::string& repository, const Digest& digest) override;
  absl::Status GetBlob(const std::string& repository, const Digest& digest, uint64_t offset_bytes,
                       const BlobSink& sink) override;
  absl::StatusOr<std::vector<std::string>> ListTags(const std::string& repository, size_t tags_max) override;
  absl::StatusOr<std::vector<Referrer>> ListReferrers(const std::string& repository, const Digest& subject) override;
  RateLimit rate_limit() const override;
  void Stop() override;

 private:
  using Key = std::pair<std::string, std::string>;  // Repository; digest or tag.

  struct Blob {
    BlobScript script;
    std::vector<uint64_t> reads;
    std::optional<uint64_t> held_at;
    int waiting = 0;
  };

  absl::Status Call(const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<UpstreamManifest> FindManifest(const std::string& repository, const Reference& reference)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status SendBlob(const std::string& content, const Digest& digest, uint64_t offset_bytes, const BlobSink& sink);
  // Waits if the call is to wait before that byte.
  absl::Status WaitAt(const Digest& digest, uint64_t offset_bytes);

  mutable absl::Mutex mutex_;
  std::map<Key, std::string> contents_ ABSL_GUARDED_BY(mutex_);
  std::map<Key, UpstreamManifest> manifests_ ABSL_GUARDED_BY(mutex_);
  std::map<Key, std::string> tags_ ABSL_GUARDED_BY(mutex_);
  std::map<Key, std::vector<Referrer>> referrers_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Blob> blobs_ ABSL_GUARDED_BY(mutex_);  // By digest.
  std::map<std::string, int> calls_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  RateLimit rate_limit_ ABSL_GUARDED_BY(mutex_);
  bool digests_hidden_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  int running_ ABSL_GUARDED_BY(mutex_) = 0;
  int running_most_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_TESTING_FAKE_UPSTREAM_REGISTRY_H_
