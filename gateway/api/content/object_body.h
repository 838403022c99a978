#ifndef ENTREPOT_GATEWAY_API_CONTENT_OBJECT_BODY_H_
#define ENTREPOT_GATEWAY_API_CONTENT_OBJECT_BODY_H_

#include <cstddef>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/backends/blob_backend.h"
#include "gateway/backends/call_context.h"
#include "gateway/backends/manifest_backend.h"
#include "gateway/http/message.h"
#include "services/core/content.h"

namespace entrepot::gateway::api {

// Tells the log and the manifest service that reading the blob has given `damage`, so that it is examined, and healed
// by the next push.
boost::asio::awaitable<void> ReportDamage(ManifestBackend& manifests, const CallContext& call, const Blob& blob,
                                          const absl::Status& damage);

// A blob's bytes as they come from the backend. One that turns out to be corrupt is reported.
class ObjectBody : public http::BodySource {
 public:
  // `manifests` outlives this.
  ObjectBody(std::unique_ptr<ObjectStream> stream, ManifestBackend* manifests, CallContext call, Blob blob)
      : stream_(std::move(stream)), manifests_(*manifests), call_(std::move(call)), blob_(std::move(blob)) {}

  boost::asio::awaitable<absl::StatusOr<size_t>> Read(char* data, size_t size) override;

 private:
  const std::unique_ptr<ObjectStream> stream_;
  ManifestBackend& manifests_;
  const CallContext call_;
  const Blob blob_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_CONTENT_OBJECT_BODY_H_
