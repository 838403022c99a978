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

// What becomes of a transaction.
enum class Fault {
  // Its function does not run: kUnavailable.
  kFailBefore,
  // Its function runs, nothing is written: kUnavailable.
  kFailCommit,
  // It is committed, but the caller is told kUnavailable.
  kLoseReply,
  // Its function runs, nothing is written: kAborted, as after the engine's last retry.
  kAbort,
  // As kFailCommit and kLoseReply; and from then on every call gives kUnavailable, until Restart().
  kCrashBeforeCommit,
  kCrashAfterCommit,
};

// For tests and simulations: lets transactions of another engine fail, and takes back what a power cut would.
// Thread-safe; but what LosePower() takes back is only right where transactions came one at a time.
class FaultInjectingKvEngine : public KvEngine {
 public:
  // `engine` must outlive it.
  explicit FaultInjectingKvEngine(KvEngine* engine) : engine_(engine) {}

  // The `n`th Transact from now meets `fault`; 1 is the next one. One fault for each.
  void InjectAt(int64_t n, Fault fault);
  // How often Transact was called: a run without faults tells over which `n` a simulation goes.
  int64_t transactions() const;
  bool crashed() const;

  // As the process that comes after a crash. Faults not yet met are forgotten.
  void Restart();
  // Restart after a power cut: buffered commits that no later synced one covers are gone.
  void LosePower();

  absl::StatusOr<std::optional<std::string>> Get(absl::string_view key) override;
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(absl::Span<const std::string> keys) override;
  absl::StatusOr<std::vector<KeyValue>> Scan(const ScanOptions& options) override;
  absl::Status Transact(std::vector<Lock> locks, const Function& fn, Durability durability) override;

 private:
  // What keys held before a commit.
  using Before = std::map<std::string, std::optional<std::string>>;
  class RecordingTransaction;

  std::optional<Fault> NextFault();
  absl::Status CheckRunning() const;
  void Crash();
  absl::Status Commit(std::vector<Lock> locks, const Function& fn, Durability durability);
  // Without writing anything.
  absl::Status Run(std::vector<Lock> locks, const Function& fn);

  KvEngine* const engine_;
  mutable absl::Mutex mutex_;
  int64_t transactions_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<int64_t, Fault> faults_ ABSL_GUARDED_BY(mutex_);
  bool crashed_ ABSL_GUARDED_BY(mutex_) = false;
  // Of the buffered commits since the last synced one, in their order.
  std::vector<Before> undo_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_FAULT_INJECTING_KV_ENGINE_H_
