#include "services/kv/fault_injecting_kv_engine.h"

#include "services/status/status_macros.h"

namespace entrepot::kv {
namespace {

absl::Status Injected() { return absl::UnavailableError("injected fault"); }

}  // namespace

// Records the value of each key before its first write.
class FaultInjectingKvEngine::RecordingTransaction : public KvTransaction {
 public:
  explicit RecordingTransaction(KvTransaction* transaction) : transaction_(transaction) {}

  absl::StatusOr<std::optional<std::string>> Get(absl::string_view key) override { return transaction_->Get(key); }
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(absl::Span<const std::string> keys) override {
    return transaction_->MultiGet(keys);
  }
  absl::StatusOr<std::vector<KeyValue>> Scan(const ScanOptions& options) override {
    return transaction_->Scan(options);
  }
  void Put(absl::string_view key, absl::string_view value) override {
    Remember(key);
    transaction_->Put(key, value);
  }
  void Delete(absl::string_view key) override {
    Remember(key);
    transaction_->Delete(key);
  }

  const absl::Status& status() const { return status_; }
  Before& before() { return before_; }

 private:
  void Remember(absl::string_view key) {
    auto [entry, is_new] = before_.try_emplace(std::string(key));
    if (!is_new) return;
    absl::StatusOr<std::optional<std::string>> value = transaction_->Get(key);
    status_.Update(value.status());
    if (value.ok()) entry->second = *std::move(value);
  }

  KvTransaction* const transaction_;
  absl::Status status_;
  Before before_;
};

void FaultInjectingKvEngine::InjectAt(int64_t n, Fault fault) {
  absl::MutexLock lock(&mutex_);
  faults_[transactions_ + n] = fault;
}

int64_t FaultInjectingKvEngine::transactions() const {
  absl::MutexLock lock(&mutex_);
  return transactions_;
}

bool FaultInjectingKvEngine::crashed() const {
  absl::MutexLock lock(&mutex_);
  return crashed_;
}

void FaultInjectingKvEngine::Restart() {
  absl::MutexLock lock(&mutex_);
  crashed_ = false;
  faults_.clear();
}

void FaultInjectingKvEngine::LosePower() {
  std::vector<Before> undo;
  {
    absl::MutexLock lock(&mutex_);
    undo.swap(undo_);
  }
  const absl::Status undone = engine_->Transact({}, [&](KvTransaction& transaction) {
    for (auto before = undo.rbegin(); before != undo.rend(); ++before) {
      for (const auto& [key, value] : *before) {
        value.has_value() ? transaction.Put(key, *value) : transaction.Delete(key);
      }
    }
    return absl::OkStatus();
  });
  Restart();
  absl::MutexLock lock(&mutex_);
  // An engine that cannot be restored stays down.
  if (!undone.ok()) crashed_ = true;
}

absl::Status FaultInjectingKvEngine::CheckRunning() const { return crashed() ? Injected() : absl::OkStatus(); }

absl::StatusOr<std::optional<std::string>> FaultInjectingKvEngine::Get(absl::string_view key) {
  RETURN_IF_ERROR(CheckRunning());
  return engine_->Get(key);
}

absl::StatusOr<std::vector<std::optional<std::string>>> FaultInjectingKvEngine::MultiGet(
    absl::Span<const std::string> keys) {
  RETURN_IF_ERROR(CheckRunning());
  return engine_->MultiGet(keys);
}

absl::StatusOr<std::vector<KeyValue>> FaultInjectingKvEngine::Scan(const ScanOptions& options) {
  RETURN_IF_ERROR(CheckRunning());
  return engine_->Scan(options);
}

std::optional<Fault> FaultInjectingKvEngine::NextFault() {
  absl::MutexLock lock(&mutex_);
  auto fault = faults_.extract(++transactions_);
  if (fault.empty()) return std::nullopt;
  return fault.mapped();
}

absl::Status FaultInjectingKvEngine::Transact(std::vector<Lock> locks, const Function& fn, Durability durability) {
  RETURN_IF_ERROR(CheckRunning());
  const std::optional<Fault> fault = NextFault();
  if (!fault.has_value()) return Commit(std::move(locks), fn, durability);
  if (*fault == Fault::kFailBefore) return Injected();
  const bool commits = *fault == Fault::kLoseReply || *fault == Fault::kCrashAfterCommit;
  const absl::Status done = commits ? Commit(std::move(locks), fn, durability) : Run(std::move(locks), fn);
  if (*fault == Fault::kCrashBeforeCommit || *fault == Fault::kCrashAfterCommit) Crash();
  RETURN_IF_ERROR(done);
  return *fault == Fault::kAbort ? absl::AbortedError("injected fault") : Injected();
}

void FaultInjectingKvEngine::Crash() {
  absl::MutexLock lock(&mutex_);
  crashed_ = true;
}

absl::Status FaultInjectingKvEngine::Run(std::vector<Lock> locks, const Function& fn) {
  bool succeeded = false;
  const absl::Status status = engine_->Transact(std::move(locks), [&](KvTransaction& transaction) {
    const absl::Status result = fn(transaction);
    succeeded = result.ok();
    return succeeded ? Injected() : result;
  });
  return succeeded ? absl::OkStatus() : status;
}

absl::Status FaultInjectingKvEngine::Commit(std::vector<Lock> locks, const Function& fn, Durability durability) {
  Before before;
  RETURN_IF_ERROR(engine_->Transact(
      std::move(locks),
      [&](KvTransaction& transaction) -> absl::Status {
        RecordingTransaction recording(&transaction);
        RETURN_IF_ERROR(fn(recording));
        before = std::move(recording.before());
        return recording.status();
      },
      durability));
  absl::MutexLock lock(&mutex_);
  if (durability == Durability::kSynced && !before.empty()) undo_.clear();
  if (durability == Durability::kBuffered) undo_.push_back(std::move(before));
  return absl::OkStatus();
}

}  // namespace entrepot::kv
