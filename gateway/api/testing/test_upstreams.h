#ifndef ENTREPOT_GATEWAY_API_TESTING_TEST_UPSTREAMS_H_
#define ENTREPOT_GATEWAY_API_TESTING_TEST_UPSTREAMS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "gateway/api/registry_api.h"
#include "gateway/backends/testing/service_stack.h"
#include "gateway/backends/upstream_backend.h"

namespace entrepot::gateway::api {

// An upstream service in memory, with upstreams whose content a test sets. Manifests that it fetches are stored in the
// services of the registry. Thread-safe, except for what prepares a test.
class TestUpstreams : public UpstreamBackend {
 public:
  // `file` is the text of an upstreams file.
  explicit TestUpstreams(absl::string_view file);

  RegistryUpstreams upstreams();
  // Required before the first request.
  void StoreIn(ServiceStack* services) { services_ = services; }

  // Gives the cached repository a manifest: an index without entries that has the text as an annotation.
  Digest AddManifest(const std::string& repository, const std::string& tag, absl::string_view text);
  static std::string Manifest(absl::string_view text);
  // A blob whose fetch breaks off after some bytes, if that is fewer than it has.
  Digest AddBlob(const std::string& bytes, uint64_t breaks_at = UINT64_MAX);
  void AddTags(std::vector<std::string> tags) { tags_ = std::move(tags); }
  void AddReferrers(std::vector<Referrer> referrers) { referrers_ = std::move(referrers); }
  // From now on tags are stale.
  void MakeStale(std::string reason, absl::Duration age);
  // From now on the tag is recalled as that; nullopt: not any more.
  void Recall(const std::string& repository, const std::string& tag, std::optional<RecalledTag> recalled);
  int recalled_count();
  // Every call gives the status, until it is OK.
  void FailWith(const absl::Status& status);
  // From now on OpenBlob() returns that the blob is stored.
  void StoreBlobs() { stores_blobs_ = true; }

  // The calls since the last call of this: "ResolveManifest docker.io/library/nginx latest".
  std::vector<std::string> TakeCalls();
  // The last argument of Manage().
  upstream::v1::ManageUpstreamsRequest last_command();

  boost::asio::awaitable<absl::StatusOr<ResolvedManifest>> ResolveManifest(const CallContext& context,
                                                                           const RepositoryName& repository,
                                                                           const Reference& reference,
                                                                           bool metadata_only) override;
  std::optional<RecalledTag> RecallTag(const RepositoryName& repository, const Tag& tag) override;
  void CountRecalled(const RepositoryName& repository, const RecalledTag& tag) override;
  boost::asio::awaitable<absl::StatusOr<UpstreamBlob>> FindBlob(const CallContext& context,
                                                                const RepositoryName& repository,
                                                                const Digest& digest) override;
  boost::asio::awaitable<absl::StatusOr<UpstreamBlob>> OpenBlob(const CallContext& context,
                                                                const RepositoryName& repository, const Digest& digest,
                                                                uint64_t offset_bytes, uint64_t length_bytes,
                                                                size_t memory_bytes) override;
  boost::asio::awaitable<absl::StatusOr<TagPage>> ListTags(const CallContext& context, const RepositoryName& repository,
                                                           size_t limit, absl::string_view last) override;
  boost::asio::awaitable<absl::StatusOr<std::vector<Referrer>>> ListReferrers(const CallContext& context,
                                                                              const RepositoryName& repository,
                                                                              const Digest& subject) override;
  // Returns a job that has just been started, for each command.
  boost::asio::awaitable<absl::StatusOr<upstream::v1::ManageUpstreamsResponse>> Manage(
      const CallContext& context, const upstream::v1::ManageUpstreamsRequest& request) override;

 private:
  struct TestBlob {
    std::string bytes;
    uint64_t breaks_at;
  };

  absl::Status Begin(absl::string_view call, const RepositoryName& repository, absl::string_view argument);
  absl::StatusOr<ResolvedManifest> Resolve(const RepositoryName& repository, const Reference& reference,
                                           bool metadata_only);

  const std::shared_ptr<const upstream::UpstreamsSnapshot> file_;
  ServiceStack* services_ = nullptr;
  // By repository and reference.
  std::map<std::pair<std::string, std::string>, std::string> manifests_;
  std::map<std::string, TestBlob> blobs_;
  std::vector<std::string> tags_;
  std::vector<Referrer> referrers_;
  bool stores_blobs_ = false;
  absl::Mutex mutex_;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  std::string stale_reason_ ABSL_GUARDED_BY(mutex_);
  absl::Duration age_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> calls_ ABSL_GUARDED_BY(mutex_);
  std::map<std::pair<std::string, std::string>, RecalledTag> recalled_ ABSL_GUARDED_BY(mutex_);
  int recalled_count_ ABSL_GUARDED_BY(mutex_) = 0;
  upstream::v1::ManageUpstreamsRequest last_command_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_TESTING_TEST_UPSTREAMS_H_
