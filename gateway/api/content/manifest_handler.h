#ifndef ENTREPOT_GATEWAY_API_CONTENT_MANIFEST_HANDLER_H_
#define ENTREPOT_GATEWAY_API_CONTENT_MANIFEST_HANDLER_H_

#include <chrono>
#include <cstddef>
#include <limits>

#include "gateway/api/content/manifest_bodies.h"
#include "gateway/api/request/registry_request.h"
#include "gateway/api/upstream/cached_content.h"
#include "gateway/backends/manifest_backend.h"
#include "services/core/reference.h"
#include "services/runtime/threads/turn_queue.h"

namespace entrepot::gateway::api {

// /v2/N/manifests/<tag or digest>: GET, HEAD, PUT, DELETE. Thread-safe.
//
// A pull returns the manifest as it was pushed. Accept has no effect, because every manifest has one form only.
class ManifestHandler {
 public:
  // What a large manifest takes while it is parsed and stored is many times its size, so few are at once. The others
  // wait, with their bodies; the memory budget bounds their number.
  static constexpr runtime::TurnQueue::Options kLargePuts{.running_max = 4,
                                                          .waiting_max = std::numeric_limits<size_t>::max(),
                                                          .waiting_of_holder_max = std::numeric_limits<size_t>::max(),
                                                          .patience = std::chrono::seconds(30)};

  // The pointers, `large_puts` being of kLargePuts, must outlive the handler. `cached` is null without upstreams. The
  // body of a PUT may have at most `bytes_max` bytes.
  ManifestHandler(ManifestBackend* manifests, ManifestBodies* bodies, runtime::TurnQueue* large_puts, size_t bytes_max,
                  const CachedContent* cached)
      : manifests_(manifests), bodies_(bodies), large_puts_(large_puts), bytes_max_(bytes_max), cached_(cached) {}

  HandlerResult Handle(RegistryRequest& request) const;

 private:
  HandlerResult Get(RegistryRequest& request, const Reference& reference) const;
  HandlerResult Put(RegistryRequest& request, const Reference& reference) const;
  HandlerResult Delete(RegistryRequest& request, const Reference& reference) const;

  ManifestBackend* const manifests_;
  ManifestBodies* const bodies_;
  runtime::TurnQueue* const large_puts_;
  const size_t bytes_max_;
  const CachedContent* const cached_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_CONTENT_MANIFEST_HANDLER_H_
