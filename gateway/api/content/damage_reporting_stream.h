#ifndef ENTREPOT_GATEWAY_API_CONTENT_DAMAGE_REPORTING_STREAM_H_
#define ENTREPOT_GATEWAY_API_CONTENT_DAMAGE_REPORTING_STREAM_H_

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

// Logs that reading the blob failed with `damage`, and reports it to the manifest service, which verifies the blob and
// lets the next push replace it.
boost::asio::awaitable<void> ReportDamage(ManifestBackend& manifests, const CallContext& call, const Blob& blob,
                                          const absl::Status& damage);

// The bytes of a blob from the backend. Reports the blob if it turns out to be corrupt.
class DamageReportingStream : public ByteStream {
 public:
  // `manifests` must outlive this.
  DamageReportingStream(std::unique_ptr<ByteStream> stream, ManifestBackend* manifests, CallContext call, Blob blob)
      : stream_(std::move(stream)), manifests_(*manifests), call_(std::move(call)), blob_(std::move(blob)) {}

  boost::asio::awaitable<absl::StatusOr<absl::string_view>> Next() override;

 private:
  const std::unique_ptr<ByteStream> stream_;
  ManifestBackend& manifests_;
  const CallContext call_;
  const Blob blob_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_CONTENT_DAMAGE_REPORTING_STREAM_H_
