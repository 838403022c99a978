#ifndef ENTREPOT_SERVICES_UPSTREAM_REGISTRY_UPSTREAM_REGISTRY_H_
#define ENTREPOT_SERVICES_UPSTREAM_REGISTRY_UPSTREAM_REGISTRY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/reference.h"

namespace entrepot::upstream {

struct UpstreamManifest {
  Digest digest;
  // As the upstream sent it: without a Content-Type, what the content's `mediaType` says; may be empty.
  std::string media_type;
  // Empty after a HEAD.
  std::string content;
  uint64_t size_bytes = 0;
};

struct UpstreamBlobHead {
  // Of the whole blob; nullopt if the upstream does not tell.
  std::optional<uint64_t> size_bytes;
  // Where the bytes begin: the offset that was asked for, or 0 if the upstream ignored it.
  uint64_t offset_bytes = 0;
};

struct RateLimit {
  // nullopt: the upstream has not stated one.
  std::optional<int64_t> limit;
  std::optional<int64_t> remaining;
};

// One upstream as a client sees it (OCI distribution specification, "Pull" and "Content discovery"): tokens, redirects,
// addresses and rate limits are dealt with here. Repositories are named as at the upstream ("library/nginx").
// Thread-safe; calls block. All errors are of UpstreamError(), or kCancelled after Stop().
class UpstreamRegistry {
 public:
  virtual ~UpstreamRegistry() = default;

  // The digest is the upstream's word. kInvalid if it gives none: then GetManifest() must be called.
  virtual absl::StatusOr<UpstreamManifest> HeadManifest(const std::string& repository, const Reference& reference) = 0;
  // The digest is computed from the content; kInvalid if it is not that of `reference`.
  virtual absl::StatusOr<UpstreamManifest> GetManifest(const std::string& repository, const Reference& reference) = 0;

  virtual absl::StatusOr<UpstreamBlobHead> HeadBlob(const std::string& repository, const Digest& digest) = 0;
  struct BlobSink {
    std::function<absl::Status(const UpstreamBlobHead& head)> on_head;
    std::function<absl::Status(absl::string_view bytes)> on_bytes;
  };
  // Reads the blob from an offset to its end. Verifies nothing. An error of the sink ends it and is returned. OK: the
  // upstream ended the body as a whole one.
  virtual absl::Status GetBlob(const std::string& repository, const Digest& digest, uint64_t offset_bytes,
                               const BlobSink& sink) = 0;

  // All tags, in the upstream's order, its pages followed; at most `tags_max`.
  virtual absl::StatusOr<std::vector<std::string>> ListTags(const std::string& repository, size_t tags_max) = 0;
  // By the referrers API, or by the tag scheme where there is none. Entries that are not descriptors are left out.
  virtual absl::StatusOr<std::vector<Referrer>> ListReferrers(const std::string& repository, const Digest& subject) = 0;

  virtual RateLimit rate_limit() const = 0;
  // Makes running and later calls give kCancelled soon.
  virtual void Stop() = 0;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_REGISTRY_UPSTREAM_REGISTRY_H_
