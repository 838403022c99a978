#include "gateway/api/content/damage_reporting_stream.h"

#include <string>

#include "services/runtime/log/limited_log.h"

namespace entrepot::gateway::api {

using boost::asio::awaitable;

awaitable<void> ReportDamage(ManifestBackend& manifests, const CallContext& call, const Blob& blob,
                             const absl::Status& damage) {
  const std::string digest = blob.digest.ToString();
  runtime::LogLimited(runtime::LogLevel::kError, "a blob is damaged", digest,
                      {{"digest", digest},
                       {"storage_key", blob.storage_key.ToString()},
                       {"reason", absl::string_view(damage.message())},
                       {"request_id", call.request_id}});
  const absl::Status reported = co_await manifests.ReportDamage(call, blob);
  if (reported.ok()) co_return;
  runtime::LogLimited(
      runtime::LogLevel::kWarning, "cannot report a damaged blob", digest,
      {{"digest", digest}, {"error", absl::string_view(reported.message())}, {"request_id", call.request_id}});
}

awaitable<absl::StatusOr<absl::string_view>> DamageReportingStream::Next() {
  absl::StatusOr<absl::string_view> bytes = co_await stream_->Next();
  if (absl::IsDataLoss(bytes.status())) co_await ReportDamage(manifests_, call_, blob_, bytes.status());
  co_return bytes;
}

}  // namespace entrepot::gateway::api
