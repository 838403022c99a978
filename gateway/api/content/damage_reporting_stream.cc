#include "gateway/api/content/damage_reporting_stream.h"

#include <string>

#include "services/runtime/log/json_log.h"

namespace entrepot::gateway::api {

using boost::asio::awaitable;

awaitable<void> ReportDamage(ManifestBackend& manifests, const CallContext& call, const Blob& blob,
                             const absl::Status& damage) {
  runtime::Log(runtime::LogLevel::kError, "a blob is damaged",
               {{"digest", blob.digest.ToString()},
                {"storage_key", blob.storage_key.ToString()},
                {"reason", absl::string_view(damage.message())},
                {"request_id", call.request_id}});
  const absl::Status reported = co_await manifests.ReportDamage(call, blob);
  if (reported.ok()) co_return;
  runtime::Log(runtime::LogLevel::kWarning, "cannot report a damaged blob",
               {{"digest", blob.digest.ToString()},
                {"error", absl::string_view(reported.message())},
                {"request_id", call.request_id}});
}

awaitable<absl::StatusOr<size_t>> DamageReportingStream::Read(char* data, size_t size) {
  absl::StatusOr<size_t> count = co_await stream_->Read(data, size);
  if (absl::IsDataLoss(count.status())) co_await ReportDamage(manifests_, call_, blob_, count.status());
  co_return count;
}

}  // namespace entrepot::gateway::api
