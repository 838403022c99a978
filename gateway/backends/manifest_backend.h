#ifndef ENTREPOT_GATEWAY_BACKENDS_MANIFEST_BACKEND_H_
#define ENTREPOT_GATEWAY_BACKENDS_MANIFEST_BACKEND_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "boost/asio/awaitable.hpp"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "gateway/backends/call_context.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/reference.h"
#include "services/core/repository_name.h"

namespace entrepot::gateway {

// The manifest service, in this process or another (proto/entrepot/manifest/v1).
// services/manifest/catalog/registry_catalog.h has the contract and the status codes of each call; in addition
// kUnavailable: the service did not respond within its deadline. Each call is made on behalf of context.caller.
// Thread-safe; each call resumes on the caller's executor.
class ManifestBackend {
 public:
  virtual ~ManifestBackend() = default;

  // Returns true if the registry had the bytes already.
  virtual boost::asio::awaitable<absl::StatusOr<bool>> CommitBlob(const CallContext& context,
                                                                  const RepositoryName& repository,
                                                                  const Blob& blob) = 0;
  virtual boost::asio::awaitable<absl::StatusOr<Blob>> FindBlob(const CallContext& context,
                                                                const RepositoryName& repository,
                                                                const Digest& digest) = 0;
  virtual boost::asio::awaitable<absl::StatusOr<Blob>> MountBlob(const CallContext& context,
                                                                 const RepositoryName& repository, const Digest& digest,
                                                                 const std::optional<RepositoryName>& source) = 0;
  virtual boost::asio::awaitable<absl::Status> UnlinkBlob(const CallContext& context, const RepositoryName& repository,
                                                          const Digest& digest) = 0;

  virtual boost::asio::awaitable<absl::StatusOr<ManifestPutResult>> PutManifest(const CallContext& context,
                                                                                const RepositoryName& repository,
                                                                                const ManifestPut& put) = 0;
  virtual boost::asio::awaitable<absl::StatusOr<StoredManifest>> GetManifest(const CallContext& context,
                                                                             const RepositoryName& repository,
                                                                             const Reference& reference,
                                                                             bool metadata_only) = 0;
  virtual boost::asio::awaitable<absl::Status> DeleteManifest(const CallContext& context,
                                                              const RepositoryName& repository,
                                                              const Reference& reference) = 0;

  virtual boost::asio::awaitable<absl::StatusOr<TagPage>> ListTags(const CallContext& context,
                                                                   const RepositoryName& repository, size_t limit,
                                                                   absl::string_view last) = 0;
  virtual boost::asio::awaitable<absl::StatusOr<ReferrerPage>> ListReferrers(const CallContext& context,
                                                                             const RepositoryName& repository,
                                                                             const Digest& subject,
                                                                             absl::string_view artifact_type,
                                                                             size_t limit, absl::string_view last) = 0;
  // The repositories that match one of `patterns` (services/policy/repository_pattern.h): {"**"} for all, none without
  // patterns.
  virtual boost::asio::awaitable<absl::StatusOr<RepositoryPage>> ListRepositories(
      const CallContext& context, size_t limit, absl::string_view last, const std::vector<std::string>& patterns) = 0;
  virtual boost::asio::awaitable<absl::StatusOr<RepositoryDeletion>> DeleteRepository(
      const CallContext& context, const RepositoryName& repository) = 0;

  // services/manifest/maintenance/maintenance.h has the contract of these two. The caller in the request is ignored.
  virtual boost::asio::awaitable<absl::StatusOr<manifest::v1::MaintainResponse>> Maintain(
      const CallContext& context, const manifest::v1::MaintainRequest& request) = 0;
  // Returns when the service has verified the blob, or earlier with an error: kResourceExhausted if too many reports
  // wait. Occupies no thread meanwhile.
  virtual boost::asio::awaitable<absl::Status> ReportDamage(const CallContext& context, const Blob& blob) = 0;
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_MANIFEST_BACKEND_H_
