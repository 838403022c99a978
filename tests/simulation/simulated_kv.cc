#include "tests/simulation/simulated_kv.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "services/kv/lock_table.h"
#include "services/status/status_macros.h"

namespace entrepot::simulation {
namespace {

using kv::KeyValue;
using kv::Lock;
using kv::LockMode;
using kv::ScanOptions;
using Value = std::optional<std::string>;

constexpr int kAttemptsMax = 4;

}  // namespace

class SimulatedKv::Reader : public kv::KvReader {
 public:
  explicit Reader(const SimulatedKv* kv) : kv_(*kv) {}

  absl::StatusOr<Value> Get(absl::string_view key) override { return kv::WriteBuffer().Get(kv_.entries_, key); }
  absl::StatusOr<std::vector<Value>> MultiGet(absl::Span<const std::string> keys) override {
    std::vector<Value> values;
    for (const std::string& key : keys) values.push_back(*Get(key));
    return values;
  }
  absl::StatusOr<std::vector<KeyValue>> Scan(const ScanOptions& options) override {
    return kv::WriteBuffer().Scan(kv_.entries_, options);
  }

 private:
  const SimulatedKv& kv_;
};

class SimulatedKv::Transaction : public kv::KvTransaction {
 public:
  Transaction(SimulatedKv* kv, const Process* process, const std::vector<Lock>* locks)
      : kv_(*kv), process_(*process), buffer_(locks) {}

  absl::StatusOr<Value> Get(absl::string_view key) override {
    RETURN_IF_ERROR(Before("reads in a transaction", key));
    return buffer_.Get(kv_.entries_, key);
  }
  absl::StatusOr<std::vector<Value>> MultiGet(absl::Span<const std::string> keys) override {
    RETURN_IF_ERROR(Before("reads in a transaction", keys.empty() ? "" : keys[0]));
    std::vector<Value> values;
    for (const std::string& key : keys) values.push_back(buffer_.Get(kv_.entries_, key));
    return values;
  }
  absl::StatusOr<std::vector<KeyValue>> Scan(const ScanOptions& options) override {
    RETURN_IF_ERROR(Before("scans in a transaction", options.prefix));
    return buffer_.Scan(kv_.entries_, options);
  }
  void Put(absl::string_view key, absl::string_view value) override { buffer_.Put(key, value); }
  void Delete(absl::string_view key) override { buffer_.Delete(key); }

  const absl::Status& write_status() const { return buffer_.status(); }
  const Writes& writes() const { return buffer_.writes(); }

 private:
  absl::Status Before(absl::string_view what, absl::string_view key) {
    kv_.scheduler_.Step(what, key);
    return kv_.Fate(process_, kv_.faults_.kv_read_fails);
  }

  SimulatedKv& kv_;
  const Process& process_;
  kv::WriteBuffer buffer_;
};

class SimulatedKv::Connection : public kv::KvEngine {
 public:
  Connection(SimulatedKv* kv, const Process* process) : kv_(*kv), process_(*process) {}

  absl::StatusOr<Value> Get(absl::string_view key) override {
    RETURN_IF_ERROR(Before("reads", key));
    return Reader(&kv_).Get(key);
  }
  absl::StatusOr<std::vector<Value>> MultiGet(absl::Span<const std::string> keys) override {
    RETURN_IF_ERROR(Before("reads", keys.empty() ? "" : keys[0]));
    return Reader(&kv_).MultiGet(keys);
  }
  absl::StatusOr<std::vector<KeyValue>> Scan(const ScanOptions& options) override {
    RETURN_IF_ERROR(Before("scans", options.prefix));
    return Reader(&kv_).Scan(options);
  }
  absl::Status Transact(std::vector<Lock> locks, const Function& fn, kv::Durability durability) override {
    const std::vector<Lock> ordered = kv::InLockingOrder(std::move(locks));
    for (int attempt = 1;; ++attempt) {
      absl::Status status = kv_.TransactOnce(process_, ordered, fn, durability);
      if (!absl::IsAborted(status) || attempt == kAttemptsMax) return status;
    }
  }

 private:
  absl::Status Before(absl::string_view what, absl::string_view key) {
    kv_.scheduler_.Step(what, key);
    return kv_.Fate(process_, kv_.faults_.kv_read_fails);
  }

  SimulatedKv& kv_;
  const Process& process_;
};

// The locks of one transaction, released at its end.
class SimulatedKv::Held {
 public:
  Held(SimulatedKv* kv, const Process* process) : kv_(*kv), process_(*process) {}
  ~Held() {
    for (const std::string& key : keys_) kv_.ReleaseOne(&process_, key);
  }
  bool Take(const Lock& lock) {
    if (!kv_.Acquire(&process_, lock)) return false;
    keys_.push_back(lock.key);
    return true;
  }

 private:
  SimulatedKv& kv_;
  const Process& process_;
  std::vector<std::string> keys_;
};

std::unique_ptr<kv::KvEngine> SimulatedKv::Connect(const Process* process) {
  return std::make_unique<Connection>(this, process);
}

std::unique_ptr<kv::KvReader> SimulatedKv::Committed() { return std::make_unique<Reader>(this); }

absl::Status SimulatedKv::Fate(const Process& process, uint64_t fails_one_in) {
  if (IsDead(process)) return absl::UnavailableError("this process is dead");
  if (scheduler_.random().OneIn(fails_one_in)) {
    ++failures_;
    return absl::UnavailableError("an injected failure of the KV");
  }
  return absl::OkStatus();
}

void SimulatedKv::LockState::Grant() {
  while (!waiters.empty() && IsFreeFor(waiters.front()->mode)) {
    Waiter* const first = waiters.front();
    waiters.pop_front();
    first->granted = true;
    Take(first->process, first->mode);
  }
}

bool SimulatedKv::Acquire(const Process* process, const Lock& lock) {
  scheduler_.Step(lock.mode == LockMode::kShared ? "locks, shared," : "locks", lock.key);
  if (IsDead(*process)) return false;
  LockState& state = locks_[lock.key];
  if (state.waiters.empty() && state.IsFreeFor(lock.mode)) {
    state.Take(process, lock.mode);
    return true;
  }
  Waiter waiter{process, lock.mode};
  state.waiters.push_back(&waiter);
  scheduler_.WaitUntil("waits for a lock", [&] { return waiter.granted || IsDead(*process); });
  if (waiter.granted) {
    if (!IsDead(*process)) return true;
    ReleaseOne(process, lock.key);
    return false;
  }
  const auto found = locks_.find(lock.key);
  auto& waiters = found->second.waiters;
  waiters.erase(std::remove(waiters.begin(), waiters.end(), &waiter), waiters.end());
  found->second.Grant();
  return false;
}

void SimulatedKv::ReleaseOne(const Process* process, const std::string& key) {
  const auto found = locks_.find(key);
  if (found == locks_.end()) return;
  std::vector<const Process*>& holders = found->second.holders;
  const auto holder = std::find(holders.begin(), holders.end(), process);
  // The locks of a dead process were released already.
  if (holder == holders.end()) return;
  holders.erase(holder);
  if (holders.empty()) found->second.exclusive = false;
  found->second.Grant();
  if (found->second.holders.empty() && found->second.waiters.empty()) locks_.erase(found);
}

void SimulatedKv::Release(const Process* process) {
  for (auto& [key, state] : locks_) {
    std::vector<const Process*>& holders = state.holders;
    holders.erase(std::remove(holders.begin(), holders.end(), process), holders.end());
    if (holders.empty()) state.exclusive = false;
    state.Grant();
  }
}

absl::Status SimulatedKv::TransactOnce(const Process& process, const std::vector<Lock>& locks,
                                       const kv::KvEngine::Function& fn, kv::Durability durability) {
  absl::Status status;
  {
    Held held(this, &process);
    for (const Lock& lock : locks) {
      if (!held.Take(lock)) return absl::UnavailableError("this process is dead");
      if (scheduler_.random().OneIn(faults_.kv_aborts)) {
        ++failures_;
        return absl::AbortedError("an injected lock timeout");
      }
    }
    Transaction transaction(this, &process, &locks);
    RETURN_IF_ERROR(fn(transaction));
    RETURN_IF_ERROR(transaction.write_status());
    if (transaction.writes().empty()) return Fate(process, 0);
    status = Commit(process, transaction, durability);
  }
  scheduler_.Step("is past its commit");
  RETURN_IF_ERROR(status);
  return Fate(process, faults_.kv_answer_lost);
}

absl::Status SimulatedKv::Commit(const Process& process, Transaction& transaction, kv::Durability durability) {
  std::string keys;
  for (const auto& [key, value] : transaction.writes()) {
    absl::StrAppend(&keys, value.has_value() ? "+" : "-", absl::CHexEscape(key), " ");
  }
  scheduler_.Step("commits", keys);
  RETURN_IF_ERROR(Fate(process, faults_.kv_commit_fails));
  if (scheduler_.random().OneIn(faults_.kv_aborts)) {
    ++failures_;
    return absl::AbortedError("an injected conflict");
  }
  Apply(transaction.writes(), durability);
  return absl::OkStatus();
}

void SimulatedKv::Write(const Writes& writes, kv::Durability durability) { Apply(writes, durability); }

void SimulatedKv::Apply(const Writes& writes, kv::Durability durability) {
  Writes before = kv::Apply(writes, &entries_);
  if (durability == kv::Durability::kSynced) {
    undo_.clear();
  } else {
    undo_.push_back(std::move(before));
  }
  if (observer_) observer_();
}

void SimulatedKv::LosePower() {
  const size_t kept = scheduler_.random().Below(undo_.size() + 1);
  scheduler_.Note("loses power", absl::StrCat(undo_.size() - kept, " buffered commits are lost"));
  for (; undo_.size() > kept; undo_.pop_back()) kv::Apply(undo_.back(), &entries_);
  // The remaining commits are durable now.
  undo_.clear();
}

SimulatedKv::Entries SimulatedKv::Exchange(Entries entries) {
  std::swap(entries, entries_);
  undo_.clear();
  return entries;
}

}  // namespace entrepot::simulation
