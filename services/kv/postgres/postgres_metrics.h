#ifndef ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_METRICS_H_
#define ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_METRICS_H_

#include <atomic>
#include <cstdint>
#include <vector>

#include "prometheus/collectable.h"
#include "prometheus/metric_family.h"

namespace entrepot::kv {

// The metrics entrepot_postgres_*, which the parts of the engine count here. Thread-safe.
class PostgresMetrics : public prometheus::Collectable {
 public:
  std::atomic<int64_t> connections_max = 0;
  std::atomic<int64_t> connections_open = 0;
  std::atomic<int64_t> connections_busy = 0;
  // Requests that wait for a connection now.
  std::atomic<int64_t> waiting = 0;
  // Locks that the large transactions of this process may hold in the database at once, and transactions that wait for
  // room.
  std::atomic<int64_t> locks_max = 0;
  std::atomic<int64_t> locks_waiting = 0;
  std::atomic<int64_t> connects = 0;
  std::atomic<int64_t> connect_failures = 0;
  std::atomic<int64_t> connections_lost = 0;
  // Requests that got no connection, or no room for their locks, in time.
  std::atomic<int64_t> refused = 0;
  // Commits whose answer was lost, by what was found out.
  std::atomic<int64_t> commits_found_done = 0;
  std::atomic<int64_t> commits_found_absent = 0;
  std::atomic<int64_t> commits_unknown = 0;

  std::vector<prometheus::MetricFamily> Collect() const override;
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_METRICS_H_
