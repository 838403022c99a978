#ifndef ENTREPOT_SERVICES_KV_MEMORY_KV_ENGINE_H_
#define ENTREPOT_SERVICES_KV_MEMORY_KV_ENGINE_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "services/kv/aborted_retry.h"
#include "services/kv/kv_engine.h"
#include "services/kv/lock_table.h"
#include "services/kv/write_buffer.h"

namespace entrepot::kv {

// Keeps all entries in memory, with real locks. For tests. It ignores durability.
class MemoryKvEngine : public KvEngine {
 public:
  struct Options {
    absl::Duration lock_timeout = absl::Milliseconds(500);
    RetryPolicy retry;
  };

  MemoryKvEngine() : MemoryKvEngine(Options()) {}
  explicit MemoryKvEngine(const Options& options) : options_(options) {}

  absl::StatusOr<std::optional<std::string>> Get(absl::string_view key) override;
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(absl::Span<const std::string> keys) override;
  absl::StatusOr<std::vector<KeyValue>> Scan(const ScanOptions& options) override;
  absl::Status Transact(std::vector<Lock> locks, const Function& fn, Durability durability) override;

 private:
  class Transaction;

  Attempt TransactOnce(const std::vector<Lock>& locks, const Function& fn);

  const Options options_;
  LockTable locks_;
  mutable absl::Mutex mutex_;
  Entries entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_MEMORY_KV_ENGINE_H_
