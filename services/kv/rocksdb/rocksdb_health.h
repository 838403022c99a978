#ifndef ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_HEALTH_H_
#define ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_HEALTH_H_

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "rocksdb/listener.h"

namespace entrepot::kv {

// Whether RocksDB may still be written to. Stopping is final: RocksDB's own attempts to resume are refused.
// Thread-safe.
class RocksDbHealth : public rocksdb::EventListener {
 public:
  // OK; or kUnavailable or kDataLoss, with the first cause.
  absl::Status Check() const;
  void Stop(const absl::Status& cause);
  uint64_t background_errors() const { return background_errors_.load(std::memory_order_relaxed); }

  const char* Name() const override { return "RocksDbHealth"; }
  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override;
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason reason, rocksdb::Status error, bool* auto_recovery) override;

 private:
  std::atomic<bool> stopped_ = false;
  std::atomic<uint64_t> background_errors_ = 0;
  mutable absl::Mutex mutex_;
  absl::Status cause_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_HEALTH_H_
