#ifndef ENTREPOT_GATEWAY_BACKENDS_UPSTREAM_BACKEND_H_
#define ENTREPOT_GATEWAY_BACKENDS_UPSTREAM_BACKEND_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "boost/asio/awaitable.hpp"
#include "entrepot/upstream/v1/management.pb.h"
#include "gateway/backends/call_context.h"
#include "gateway/body/body.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/reference.h"
#include "services/core/repository_name.h"
#include "services/core/resolved_manifest.h"
#include "services/core/tag.h"

namespace entrepot::gateway {

// A blob of an upstream.
struct UpstreamBlob {
  // Of the whole blob.
  uint64_t size_bytes = 0;
  // The manifest backend has it.
  bool stored = false;
  // Set by OpenBlob() unless it is stored: the bytes of the range, as they arrive. The last bytes of the blob come only
  // after its digest was verified; if it is wrong, or the fetch fails, the stream ends with an error before them.
  std::optional<Body> body = std::nullopt;
};

// The upstream service, in this process or another (proto/entrepot/upstream/v1). services/upstream/upstream_cache.h has
// the contract and the status codes of each call; in addition kUnavailable: the service did not respond. Thread-safe;
// each call resumes on the caller's executor.
class UpstreamBackend {
 public:
  virtual ~UpstreamBackend() = default;

  virtual boost::asio::awaitable<absl::StatusOr<ResolvedManifest>> ResolveManifest(const CallContext& context,
                                                                                   const RepositoryName& repository,
                                                                                   const Reference& reference,
                                                                                   bool metadata_only) = 0;
  // What the tag names, from the memory of this process; nullopt: call ResolveManifest(). Never blocks and calls no
  // other process. The answer is at most UpstreamCache::kFreshAnswerLifetime old.
  virtual std::optional<RecalledTag> RecallTag(const RepositoryName& repository, const Tag& tag) = 0;
  // A request was answered by the recalled tag.
  virtual void CountRecalled(const RepositoryName& repository, const RecalledTag& tag) = 0;
  virtual boost::asio::awaitable<absl::StatusOr<UpstreamBlob>> FindBlob(const CallContext& context,
                                                                        const RepositoryName& repository,
                                                                        const Digest& digest) = 0;
  // The bytes of the blob from an offset on; a length of 0, or one that is too large: to the end. Waits until the
  // upstream has answered. About `memory_bytes` are in this process's memory at once. The body may outlive `context`.
  virtual boost::asio::awaitable<absl::StatusOr<UpstreamBlob>> OpenBlob(const CallContext& context,
                                                                        const RepositoryName& repository,
                                                                        const Digest& digest, uint64_t offset_bytes,
                                                                        uint64_t length_bytes, size_t memory_bytes) = 0;
  virtual boost::asio::awaitable<absl::StatusOr<TagPage>> ListTags(const CallContext& context,
                                                                   const RepositoryName& repository, size_t limit,
                                                                   absl::string_view last) = 0;
  virtual boost::asio::awaitable<absl::StatusOr<std::vector<Referrer>>> ListReferrers(const CallContext& context,
                                                                                      const RepositoryName& repository,
                                                                                      const Digest& subject) = 0;
  // A command of entrepotctl (services/upstream/management/upstream_management.h). Not repeated if it starts a job.
  virtual boost::asio::awaitable<absl::StatusOr<upstream::v1::ManageUpstreamsResponse>> Manage(
      const CallContext& context, const upstream::v1::ManageUpstreamsRequest& request) = 0;
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_UPSTREAM_BACKEND_H_
