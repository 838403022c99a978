#include "services/upstream/exchange/registry_metrics.h"

#include <optional>
#include <utility>

#include "services/upstream/registry/upstream_error.h"

namespace entrepot::upstream {
namespace {

absl::string_view ResultOf(const absl::Status& status) {
  if (status.ok()) return "ok";
  if (const std::optional<UpstreamFailure> failure = FailureOf(status)) return ToString(*failure);
  return absl::IsCancelled(status) ? "cancelled" : "aborted";
}

}  // namespace

RegistryMetrics::RegistryMetrics(std::shared_ptr<prometheus::Registry> registry, std::string upstream)
    : registry_(std::move(registry)),
      upstream_(std::move(upstream)),
      requests_(prometheus::BuildCounter()
                    .Name("entrepot_upstream_requests_total")
                    .Help("Calls to upstreams by what they ask for and by their result.")
                    .Register(*registry_)),
      limit_(prometheus::BuildGauge()
                 .Name("entrepot_upstream_rate_limit")
                 .Help("An upstream's rate limit, as its last response states it.")
                 .Register(*registry_)),
      remaining_(prometheus::BuildGauge()
                     .Name("entrepot_upstream_rate_limit_remaining")
                     .Help("What is left of an upstream's rate limit, as its last response states it.")
                     .Register(*registry_)) {}

void RegistryMetrics::Count(RequestKind kind, const absl::Status& result) {
  requests_
      .Add({{"upstream", upstream_}, {"kind", std::string(ToString(kind))}, {"result", std::string(ResultOf(result))}})
      .Increment();
}

void RegistryMetrics::SetRateLimit(const RateLimit& limit) {
  if (limit.limit.has_value()) limit_.Add({{"upstream", upstream_}}).Set(static_cast<double>(*limit.limit));
  if (limit.remaining.has_value()) remaining_.Add({{"upstream", upstream_}}).Set(static_cast<double>(*limit.remaining));
}

}  // namespace entrepot::upstream
