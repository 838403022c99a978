#include "services/upstream/upstream_metrics.h"

#include <array>
#include <cstddef>
#include <utility>

namespace entrepot::upstream {
namespace {

const prometheus::Histogram::BucketBoundaries& SecondsBuckets() {
  static const auto& buckets =
      *new prometheus::Histogram::BucketBoundaries{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
  return buckets;
}

constexpr std::array<absl::string_view, 6> kResultNames = {"hit", "miss", "revalidated", "stale", "negative", "failed"};

}  // namespace

absl::string_view ToString(ResolveResult result) { return kResultNames[static_cast<size_t>(result)]; }

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
  ResolvesOf(upstream, ResolveResult::kHit);
  SetUp(upstream, true);
}

void UpstreamMetrics::Remove(const std::string& upstream) { up_.Remove(&up_.Add({{"upstream", upstream}})); }

void UpstreamMetrics::CountResolve(absl::string_view upstream, ResolveResult result, uint64_t requests) {
  ResolvesOf(upstream, result).Increment(static_cast<double>(requests));
}

uint64_t UpstreamMetrics::Resolves(absl::string_view upstream, ResolveResult result) const {
  return static_cast<uint64_t>(ResolvesOf(upstream, result).Value());
}

prometheus::Counter& UpstreamMetrics::ResolvesOf(absl::string_view upstream, ResolveResult result) const {
  const size_t index = static_cast<size_t>(result);
  {
    const absl::ReaderMutexLock lock(&mutex_);
    if (const auto found = counters_.find(upstream); found != counters_.end()) return *found->second[index];
  }
  const absl::MutexLock lock(&mutex_);
  const auto [added, is_new] = counters_.try_emplace(std::string(upstream));
  if (is_new) {
    for (size_t i = 0; i < kResults; ++i) {
      added->second[i] = &resolves_.Add({{"upstream", added->first}, {"result", std::string(kResultNames[i])}});
    }
  }
  return *added->second[index];
}

void UpstreamMetrics::SetUp(const std::string& upstream, bool up) { up_.Add({{"upstream", upstream}}).Set(up ? 1 : 0); }

void UpstreamMetrics::ObserveFirstByte(const std::string& upstream, const char* kind, absl::Duration after) {
  first_byte_.Add({{"upstream", upstream}, {"kind", kind}}, SecondsBuckets()).Observe(absl::ToDoubleSeconds(after));
}

}  // namespace entrepot::upstream
