#ifndef ENTREPOT_SERVICES_UPSTREAM_MANAGEMENT_IMAGE_SOURCE_H_
#define ENTREPOT_SERVICES_UPSTREAM_MANAGEMENT_IMAGE_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "entrepot/upstream/v1/management.pb.h"
#include "services/core/digest.h"
#include "services/core/reference.h"
#include "services/core/repository_name.h"
#include "services/core/resolved_manifest.h"
#include "services/upstream/fetch/fetch_reader.h"

namespace entrepot::upstream {

struct StoredBlob {
  uint64_t size_bytes = 0;
};

// What the management of upstreams needs of the cache (services/upstream/upstream_cache.h): the state of the upstreams,
// and the calls of which a pull consists. Thread-safe; calls block. Errors are those of UpstreamCache.
class ImageSource {
 public:
  virtual ~ImageSource() = default;

  virtual absl::StatusOr<ResolvedManifest> ResolveManifest(const RepositoryName& repository, const Reference& reference,
                                                           bool metadata_only) = 0;
  // `client`: whose share a fetch that this starts counts against (services/upstream/fetch/blob_fetches.h).
  virtual absl::StatusOr<std::variant<StoredBlob, std::unique_ptr<FetchReader>>> OpenBlob(
      const RepositoryName& repository, const Digest& digest, const std::string& client) = 0;
  // In the order of the file.
  virtual v1::UpstreamList Status() const = 0;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_MANAGEMENT_IMAGE_SOURCE_H_
