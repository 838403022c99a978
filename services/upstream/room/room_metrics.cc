#include "services/upstream/room/room_metrics.h"

#include <algorithm>
#include <utility>

namespace entrepot::upstream {
namespace {

prometheus::Family<prometheus::Gauge>& Gauges(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

prometheus::Family<prometheus::Counter>& Counters(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

}  // namespace

RoomMetrics::RoomMetrics(std::shared_ptr<prometheus::Registry> registry)
    : registry_(registry != nullptr ? std::move(registry) : std::make_shared<prometheus::Registry>()),
      room_(Gauges(*registry_, "entrepot_upstream_room_bytes",
                   "Bytes that only caches of the upstream need, when they were measured last.")),
      cap_(Gauges(*registry_, "entrepot_upstream_room_max_bytes", "The cap of an upstream's caches.")),
      evicted_images_(Counters(*registry_, "entrepot_upstream_evicted_images_total",
                               "Images that were evicted because the upstream's caches needed more than their cap.")),
      evicted_bytes_(
          Counters(*registry_, "entrepot_upstream_evicted_bytes_total", "Bytes that only the evicted images needed.")),
      evicted_idle_(Gauges(*registry_, "entrepot_upstream_evicted_idle_seconds",
                           "For how long the most recently used image of the last eviction had not been used.")) {}

void RoomMetrics::SetCap(const std::string& upstream, uint64_t bytes_max) {
  prometheus::Gauge& cap = cap_.Add({{"upstream", upstream}});
  cap.Set(static_cast<double>(bytes_max));
  if (bytes_max == 0) cap_.Remove(&cap);
}

void RoomMetrics::SetRoom(const std::string& upstream, uint64_t bytes) {
  room_.Add({{"upstream", upstream}}).Set(static_cast<double>(bytes));
  // With them from the start, a rate has a beginning.
  evicted_images_.Add({{"upstream", upstream}});
  evicted_bytes_.Add({{"upstream", upstream}});
}

void RoomMetrics::CountEviction(const std::string& upstream, uint64_t images, uint64_t bytes, absl::Duration idle) {
  evicted_images_.Add({{"upstream", upstream}}).Increment(static_cast<double>(images));
  evicted_bytes_.Add({{"upstream", upstream}}).Increment(static_cast<double>(bytes));
  evicted_idle_.Add({{"upstream", upstream}}).Set(absl::ToDoubleSeconds(std::max(absl::ZeroDuration(), idle)));
}

void RoomMetrics::Remove(const std::string& upstream) {
  for (prometheus::Family<prometheus::Gauge>* family : {&room_, &cap_, &evicted_idle_}) {
    family->Remove(&family->Add({{"upstream", upstream}}));
  }
}

}  // namespace entrepot::upstream
