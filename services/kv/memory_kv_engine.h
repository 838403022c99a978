#ifndef ENTREPOT_SERVICES_KV_MEMORY_KV_ENGINE_H_
#define ENTREPOT_SERVICES_KV_MEMORY_KV_ENGINE_H_

#include <functional>
#include <map>
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

namespace entrepot::kv {

// Keeps everything in memory, with real locks: for tests, and for registries that may forget. Durability means nothing
// to it.
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
  using Entries = std::map<std::string, std::string, std::less<>>;
  // nullopt: deleted.
  using Writes = std::map<std::string, std::optional<std::string>, std::less<>>;

  Attempt TransactOnce(const std::vector<Lock>& locks, const Function& fn);
  // What a scan finds once `writes` are applied.
  std::vector<KeyValue> ScanWith(const Writes& writes, const ScanOptions& options) const;

  const Options options_;
  LockTable locks_;
  mutable absl::Mutex mutex_;
  Entries entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_MEMORY_KV_ENGINE_H_
