#ifndef ENTREPOT_SERVICES_UPSTREAM_ROOM_ROOM_METRICS_H_
#define ENTREPOT_SERVICES_UPSTREAM_ROOM_ROOM_METRICS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"

namespace entrepot::upstream {

// The metrics of the room that caches of upstreams need:
//   entrepot_upstream_room_bytes{upstream}            when it was measured last; absent before
//   entrepot_upstream_room_max_bytes{upstream}        absent without a cap
//   entrepot_upstream_evicted_images_total{upstream}
//   entrepot_upstream_evicted_bytes_total{upstream}
//   entrepot_upstream_evicted_idle_seconds{upstream}  of the last eviction; absent before
// Thread-safe.
class RoomMetrics {
 public:
  // If `registry` is null, the metrics are counted but not exported.
  explicit RoomMetrics(std::shared_ptr<prometheus::Registry> registry);

  // 0: the upstream has no cap.
  void SetCap(const std::string& upstream, uint64_t bytes_max);
  void SetRoom(const std::string& upstream, uint64_t bytes);
  // Counts images that were evicted for the cap. `idle` is the time since the last use of the one that was used most
  // recently.
  void CountEviction(const std::string& upstream, uint64_t images, uint64_t bytes, absl::Duration idle);
  // The upstream is not in the file any more. Its counters stay.
  void Remove(const std::string& upstream);

 private:
  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Family<prometheus::Gauge>& room_;
  prometheus::Family<prometheus::Gauge>& cap_;
  prometheus::Family<prometheus::Counter>& evicted_images_;
  prometheus::Family<prometheus::Counter>& evicted_bytes_;
  prometheus::Family<prometheus::Gauge>& evicted_idle_;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_ROOM_ROOM_METRICS_H_
