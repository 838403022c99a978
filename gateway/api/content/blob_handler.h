#ifndef ENTREPOT_GATEWAY_API_CONTENT_BLOB_HANDLER_H_
#define ENTREPOT_GATEWAY_API_CONTENT_BLOB_HANDLER_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "gateway/api/content/blob_reader.h"
#include "gateway/api/request/registry_request.h"
#include "gateway/api/upstream/cached_content.h"
#include "gateway/backends/blob_backend.h"
#include "gateway/backends/manifest_backend.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/range_header.h"

namespace entrepot::gateway::api {

// /v2/N/blobs/<digest>: GET with ranges and conditions, HEAD, DELETE. Thread-safe.
class BlobHandler {
 public:
  // All must outlive the handler. `cached` is null without upstreams. A response has at most `ranges_max` ranges.
  BlobHandler(BlobBackend* blobs, ManifestBackend* manifests, size_t ranges_max, const CachedContent* cached)
      : reader_(blobs, manifests), manifests_(manifests), ranges_max_(ranges_max), cached_(cached) {}

  HandlerResult Handle(RegistryRequest& request) const;

 private:
  HandlerResult Get(RegistryRequest& request, const Digest& digest) const;
  HandlerResult GetStored(RegistryRequest& request, const Blob& blob) const;
  HandlerResult GetFetched(RegistryRequest& request, const Digest& digest) const;
  // A part of a blob of `size_bytes`, or all of a blob.
  HandlerResult ReadFetched(RegistryRequest& request, const Digest& digest, std::optional<ByteRange> range,
                            uint64_t size_bytes) const;
  HandlerResult Delete(RegistryRequest& request, const Digest& digest) const;

  const BlobReader reader_;
  ManifestBackend* const manifests_;
  const size_t ranges_max_;
  const CachedContent* const cached_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_CONTENT_BLOB_HANDLER_H_
