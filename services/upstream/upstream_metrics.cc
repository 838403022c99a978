#include "services/upstream/upstream_metrics.h"

#include <array>
#include <cstddef>

namespace entrepot::upstream {
namespace {

const prometheus::Histogram::BucketBoundaries& SecondsBuckets() {
  static const auto& buckets =
      *new prometheus::Histogram::BucketBoundaries{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
  return buckets;
}

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
              .Register(*registry_)),
      first_byte_(prometheus::BuildHistogram()
                      .Name("entrepot_upstream_time_to_first_byte_seconds")
                      .Help("From asking an upstream for a manifest or blob to the first byte of it.")
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

uint64_t UpstreamMetrics::Resolves(const std::string& upstream, ResolveResult result) const {
  return static_cast<uint64_t>(
      resolves_.Add({{"upstream", upstream}, {"result", std::string(ToString(result))}}).Value());
}

void UpstreamMetrics::SetUp(const std::string& upstream, bool up) { up_.Add({{"upstream", upstream}}).Set(up ? 1 : 0); }

void UpstreamMetrics::ObserveFirstByte(const std::string& upstream, const char* kind, absl::Duration after) {
  first_byte_.Add({{"upstream", upstream}, {"kind", kind}}, SecondsBuckets()).Observe(absl::ToDoubleSeconds(after));
}

}  // namespace entrepot::upstream
