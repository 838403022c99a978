#ifndef ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_METRICS_H_
#define ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_METRICS_H_

#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "prometheus/collectable.h"
#include "prometheus/metric_family.h"
#include "rocksdb/db.h"
#include "services/kv/rocksdb/rocksdb_health.h"

namespace entrepot::kv {

// The metrics entrepot_rocksdb_*, read from an open database when they are collected. Thread-safe.
class RocksDbMetrics : public prometheus::Collectable {
 public:
  // Both must outlive this object, or its Detach().
  RocksDbMetrics(rocksdb::DB* db, const RocksDbHealth* health) : db_(db), health_(health) {}

  // Waits for a running collection. Later collections are empty.
  void Detach();

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  mutable absl::Mutex mutex_;
  rocksdb::DB* db_ ABSL_GUARDED_BY(mutex_);
  const RocksDbHealth* const health_;
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_METRICS_H_
