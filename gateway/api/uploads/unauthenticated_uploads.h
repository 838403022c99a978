#ifndef ENTREPOT_GATEWAY_API_UPLOADS_UNAUTHENTICATED_UPLOADS_H_
#define ENTREPOT_GATEWAY_API_UPLOADS_UNAUTHENTICATED_UPLOADS_H_

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/backends/call_context.h"
#include "gateway/backends/manifest_backend.h"

namespace entrepot::gateway::api {

// Whether a client may upload without a token. A gateway without auth_service gives no tokens; if the registry has
// accounts all the same, only the manifest service knows it (services/manifest/caller_check.h), while uploads go to the
// blob service. So the manifest service is asked before an upload begins. Thread-safe.
class UnauthenticatedUploads {
 public:
  // How long its consent counts. A refusal is not kept.
  static constexpr absl::Duration kAskAgainAfter = absl::Seconds(5);

  // `manifests` outlives this.
  explicit UnauthenticatedUploads(ManifestBackend* manifests) : manifests_(*manifests) {}

  // kPermissionDenied (DENIED): the registry has accounts. Other errors are those of a call to the manifest service.
  boost::asio::awaitable<absl::Status> Check(const CallContext& call);

 private:
  ManifestBackend& manifests_;
  // By the steady clock, in nanoseconds; 0 without consent.
  std::atomic<int64_t> allowed_until_ = 0;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_UPLOADS_UNAUTHENTICATED_UPLOADS_H_
