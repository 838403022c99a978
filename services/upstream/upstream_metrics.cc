#include "services/upstream/upstream_metrics.h"

#include <array>
#include <cstddef>

namespace entrepot::upstream {
namespace {

constexpr std::array<absl::string_view, 6> kResults = {"hit", "miss", "revalidated", "stale", "negative", "failed"};

}  // namespace

absl::string_view ToString(ResolveResult result) { return kResults[static_cast<size_t>(result)]; }

UpstreamMetrics::UpstreamMetrics(const std::shared_ptr<prometheus::Registry>& registry)
    : registry_(registry != nullptr ? registry : std::make_shared<prometheus::Registry>()),
      resolves_(prometheus::BuildCounter()
                    .Name("entrepot_upstream_resolves_total")
                    .Help("Requests for manifests of upstreams.")
                    .Register(*registry_)),
      up_(prometheus::BuildGauge()
              .Name("entrepot_upstream_up")
              .Help("1 while the upstream responds, 0 while it fails and is not asked.")
              .Register(*registry_)) {}

void UpstreamMetrics::Add(const std::string& upstream) {
  for (const absl::string_view result : kResults) {
    resolves_.Add({{"upstream", upstream}, {"result", std::string(result)}});
  }
  SetUp(upstream, true);
}

void UpstreamMetrics::Remove(const std::string& upstream) { up_.Remove(&up_.Add({{"upstream", upstream}})); }

void UpstreamMetrics::CountResolve(const std::string& upstream, ResolveResult result) {
  resolves_.Add({{"upstream", upstream}, {"result", std::string(ToString(result))}}).Increment();
}

void UpstreamMetrics::SetUp(const std::string& upstream, bool up) { up_.Add({{"upstream", upstream}}).Set(up ? 1 : 0); }

}  // namespace entrepot::upstream
