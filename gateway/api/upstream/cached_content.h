#ifndef ENTREPOT_GATEWAY_API_UPSTREAM_CACHED_CONTENT_H_
#define ENTREPOT_GATEWAY_API_UPSTREAM_CACHED_CONTENT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/api/upstream/served_bytes.h"
#include "gateway/backends/call_context.h"
#include "gateway/backends/manifest_backend.h"
#include "gateway/backends/upstream_backend.h"
#include "gateway/http/message.h"
#include "prometheus/registry.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/reference.h"
#include "services/core/repository_name.h"

namespace entrepot::gateway::api {

struct CachedManifest {
  StoredManifest manifest;
  // Why the upstream could not confirm the tag; empty if it is not stale.
  std::string stale_reason = {};
  absl::Duration age = absl::ZeroDuration();
};

// The content of cached repositories: from the manifest service if it has it, otherwise through the upstream service.
// What a digest names never changes, so only a tag is asked for at the upstream service although it may be here, and
// only if the backend does not recall it. Thread-safe. Status codes are those of both backends.
class CachedContent {
 public:
  // Both must outlive it.
  CachedContent(ManifestBackend* manifests, UpstreamBackend* upstreams,
                const std::shared_ptr<prometheus::Registry>& registry)
      : manifests_(manifests), upstreams_(upstreams), served_(registry) {}

  // If the upstream service does not respond, a tag that is here is returned as stale.
  boost::asio::awaitable<absl::StatusOr<CachedManifest>> GetManifest(const CallContext& call,
                                                                     const RepositoryName& repository,
                                                                     const Reference& reference,
                                                                     bool metadata_only) const;
  // The upstream's tags; those that are here if the upstream service does not respond.
  boost::asio::awaitable<absl::StatusOr<TagPage>> ListTags(const CallContext& call, const RepositoryName& repository,
                                                           size_t limit, absl::string_view last) const;
  // The same for the referrers with the artifact type, if it is not empty.
  boost::asio::awaitable<absl::StatusOr<ReferrerPage>> ListReferrers(const CallContext& call,
                                                                     const RepositoryName& repository,
                                                                     const Digest& subject,
                                                                     absl::string_view artifact_type, size_t limit,
                                                                     absl::string_view last) const;

  // The calls for blobs that are not here.
  UpstreamBackend& upstreams() const { return *upstreams_; }
  // What is sent of blobs.
  ServedBytes& served() const { return served_; }

 private:
  boost::asio::awaitable<absl::StatusOr<CachedManifest>> GetByDigest(const CallContext& call,
                                                                     const RepositoryName& repository,
                                                                     const Reference& reference,
                                                                     bool metadata_only) const;
  // `reference` is a tag.
  boost::asio::awaitable<absl::StatusOr<CachedManifest>> GetByTag(const CallContext& call,
                                                                  const RepositoryName& repository,
                                                                  const Reference& reference, bool metadata_only) const;
  boost::asio::awaitable<absl::StatusOr<CachedManifest>> Resolve(const CallContext& call,
                                                                 const RepositoryName& repository,
                                                                 const Reference& reference, bool metadata_only) const;

  ManifestBackend* const manifests_;
  UpstreamBackend* const upstreams_;
  mutable ServedBytes served_;
};

// Adds the fields of a stale response (Warning and Age); none if it is not stale. Clients show a Warning with code 299.
void AddFreshness(const CachedManifest& manifest, http::Response* response);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_UPSTREAM_CACHED_CONTENT_H_
