#ifndef ENTREPOT_TESTS_SIMULATION_SIMULATED_KV_H_
#define ENTREPOT_TESTS_SIMULATION_SIMULATED_KV_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/kv/kv_engine.h"
#include "services/kv/write_buffer.h"
#include "tests/simulation/faults.h"
#include "tests/simulation/process.h"
#include "tests/simulation/scheduler.h"

namespace entrepot::simulation {

// A KV that several processes share, with the locks, transactions and durability of kv_engine.h. Each lock, read and
// commit is a step, and may fail.
class SimulatedKv {
 public:
  using Entries = kv::Entries;
  using Writes = kv::WriteBuffer::Writes;

  // Both must outlive the SimulatedKv. `faults` may change.
  SimulatedKv(Scheduler* scheduler, const Faults* faults) : scheduler_(*scheduler), faults_(*faults) {}

  // The KV as a process uses it. The process and the SimulatedKv must outlive it.
  std::unique_ptr<kv::KvEngine> Connect(const Process* process);
  // Reads the committed records without steps.
  std::unique_ptr<kv::KvReader> Committed();
  const Entries& entries() const { return entries_; }

  // Called right after each commit.
  void OnCommit(std::function<void()> observer) { observer_ = std::move(observer); }

  // Loses the last commits since the last synced one; the seed determines how many. All processes that had the KV open
  // must be dead.
  void LosePower();
  // Replaces all records, durably, and returns the previous ones. All processes that had the KV open must be dead.
  Entries Exchange(Entries entries);
  // Releases the locks of a dead process.
  void Release(const Process* process);

  // The number of calls that have failed or seemed to fail.
  uint64_t failures() const { return failures_; }

  // A commit without locks or steps, for records of other simulated parts.
  void Write(const Writes& writes, kv::Durability durability);

 private:
  class Connection;
  class Reader;
  class Transaction;
  class Held;

  struct Waiter {
    const Process* process;
    kv::LockMode mode;
    bool granted = false;
  };
  struct LockState {
    // The processes that hold the lock; only one if it is exclusive.
    std::vector<const Process*> holders;
    bool exclusive = false;
    std::deque<Waiter*> waiters;

    bool IsFreeFor(kv::LockMode mode) const { return holders.empty() || (mode == kv::LockMode::kShared && !exclusive); }
    void Take(const Process* process, kv::LockMode mode) {
      holders.push_back(process);
      exclusive = mode == kv::LockMode::kExclusive;
    }
    void Grant();
  };

  bool IsDead(const Process& process) const { return !process.alive || scheduler_.stopped(); }
  // kUnavailable if the process is dead, or as a fault.
  absl::Status Fate(const Process& process, uint64_t fails_one_in);
  bool Acquire(const Process* process, const kv::Lock& lock);
  void ReleaseOne(const Process* process, const std::string& key);
  absl::Status TransactOnce(const Process& process, const std::vector<kv::Lock>& locks,
                            const kv::KvEngine::Function& fn, kv::Durability durability);
  absl::Status Commit(const Process& process, Transaction& transaction, kv::Durability durability);
  void Apply(const Writes& writes, kv::Durability durability);

  Scheduler& scheduler_;
  const Faults& faults_;
  std::function<void()> observer_;
  uint64_t failures_ = 0;
  Entries entries_;
  std::map<std::string, LockState, std::less<>> locks_;
  // For each commit since the last synced one, the previous values of its keys.
  std::vector<Writes> undo_;
};

}  // namespace entrepot::simulation

#endif  // ENTREPOT_TESTS_SIMULATION_SIMULATED_KV_H_
