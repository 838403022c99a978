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

// A KV that several processes share, with the locks, the commits and the durability of kv_engine.h, where every lock,
// read and commit is a step, and any of them may fail.
class SimulatedKv {
 public:
  using Entries = kv::Entries;
  using Writes = kv::WriteBuffer::Writes;

  // Both outlive it. `faults` may change.
  SimulatedKv(Scheduler* scheduler, const Faults* faults) : scheduler_(*scheduler), faults_(*faults) {}

  // What a process sees of it. Both outlive what is returned.
  std::unique_ptr<kv::KvEngine> Connect(const Process* process);
  // What is committed, without a step.
  std::unique_ptr<kv::KvReader> Committed();
  const Entries& entries() const { return entries_; }

  // Called right after each commit.
  void OnCommit(std::function<void()> observer) { observer_ = std::move(observer); }

  // Of the commits since the last synced one only the first so many are left, as the seed will have it. All processes
  // that had it open are dead.
  void LosePower();
  // The process is dead: its locks are free.
  void Release(const Process* process);

  // How many calls have failed, or seemed to.
  uint64_t failures() const { return failures_; }

  // A commit without locks or steps: for what simulated parts keep here.
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
    // Who holds it; exclusively only one.
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
  // kUnavailable where the process is dead, or by the fault.
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
  // What the keys of the commits since the last synced one held before, in their order.
  std::vector<Writes> undo_;
};

}  // namespace entrepot::simulation

#endif  // ENTREPOT_TESTS_SIMULATION_SIMULATED_KV_H_
