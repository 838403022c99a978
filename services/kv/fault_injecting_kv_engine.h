#ifndef ENTREPOT_SERVICES_KV_FAULT_INJECTING_KV_ENGINE_H_
#define ENTREPOT_SERVICES_KV_FAULT_INJECTING_KV_ENGINE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "services/kv/kv_engine.h"

namespace entrepot::kv {

// What happens to a transaction.
enum class Fault {
  // The function does not run: kUnavailable.
  kFailBefore,
  // The function runs and nothing is written: kUnavailable.
  kFailCommit,
  // The transaction commits, and the caller gets kUnavailable.
  kLoseReply,
  // The function runs and nothing is written: kAborted, as after the engine's last retry.
  kAbort,
  // As kFailCommit and kLoseReply; every later call gives kUnavailable until Restart().
  kCrashBeforeCommit,
  kCrashAfterCommit,
};

// For tests: makes transactions of another engine fail, and undoes the commits that a power cut would lose.
// Thread-safe, but LosePower() restores the right state only if transactions did not overlap.
class FaultInjectingKvEngine : public KvEngine {
 public:
  // `engine` must outlive it.
  explicit FaultInjectingKvEngine(KvEngine* engine) : engine_(engine) {}

  // The `n`th Transact from now gets `fault`; 1 is the next one. At most one fault for each.
  void InjectAt(int64_t n, Fault fault);
  // The number of Transact calls. After a run without faults, a test injects faults at 1 to this number.
  int64_t transactions() const;
  bool crashed() const;

  // Continues as the process that starts after a crash. Pending faults are dropped.
  void Restart();
  // Restart() after a power cut: buffered commits that no later synced commit made durable are undone.
  void LosePower();

  absl::StatusOr<std::optional<std::string>> Get(absl::string_view key) override;
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(absl::Span<const std::string> keys) override;
  absl::StatusOr<std::vector<KeyValue>> Scan(const ScanOptions& options) override;
  absl::Status Transact(std::vector<Lock> locks, const Function& fn, Durability durability) override;

 private:
  // The values of the written keys before a commit.
  using Before = std::map<std::string, std::optional<std::string>>;
  class RecordingTransaction;

  std::optional<Fault> NextFault();
  absl::Status CheckRunning() const;
  void Crash();
  absl::Status Commit(std::vector<Lock> locks, const Function& fn, Durability durability);
  // Runs the function without writing anything.
  absl::Status Run(std::vector<Lock> locks, const Function& fn);

  KvEngine* const engine_;
  mutable absl::Mutex mutex_;
  int64_t transactions_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<int64_t, Fault> faults_ ABSL_GUARDED_BY(mutex_);
  bool crashed_ ABSL_GUARDED_BY(mutex_) = false;
  // For the buffered commits since the last synced one, in their order.
  std::vector<Before> undo_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_FAULT_INJECTING_KV_ENGINE_H_
