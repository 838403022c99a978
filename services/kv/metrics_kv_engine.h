#ifndef ENTREPOT_SERVICES_KV_METRICS_KV_ENGINE_H_
#define ENTREPOT_SERVICES_KV_METRICS_KV_ENGINE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "services/kv/kv_engine.h"
#include "services/kv/kv_metrics.h"

namespace entrepot::kv {

// Measures how long another engine's calls take.
class MetricsKvEngine : public KvEngine {
 public:
  // Both must outlive it.
  MetricsKvEngine(KvEngine* engine, KvMetrics* metrics) : engine_(engine), metrics_(metrics) {}

  absl::StatusOr<std::optional<std::string>> Get(absl::string_view key) override;
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(absl::Span<const std::string> keys) override;
  absl::StatusOr<std::vector<KeyValue>> Scan(const ScanOptions& options) override;
  absl::Status Transact(std::vector<Lock> locks, const Function& fn, Durability durability) override;

 private:
  KvEngine* const engine_;
  KvMetrics* const metrics_;
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_METRICS_KV_ENGINE_H_
