#include "services/kv/memory_kv_engine.h"

#include <utility>

#include "services/status/status_macros.h"

namespace entrepot::kv {

class MemoryKvEngine::Transaction : public KvTransaction {
 public:
  Transaction(MemoryKvEngine* engine, const std::vector<Lock>* locks) : engine_(*engine), buffer_(locks) {}

  absl::StatusOr<std::optional<std::string>> Get(absl::string_view key) override {
    absl::ReaderMutexLock lock(&engine_.mutex_);
    return buffer_.Get(engine_.entries_, key);
  }
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(absl::Span<const std::string> keys) override {
    std::vector<std::optional<std::string>> values;
    absl::ReaderMutexLock lock(&engine_.mutex_);
    for (const std::string& key : keys) values.push_back(buffer_.Get(engine_.entries_, key));
    return values;
  }
  absl::StatusOr<std::vector<KeyValue>> Scan(const ScanOptions& options) override {
    absl::ReaderMutexLock lock(&engine_.mutex_);
    return buffer_.Scan(engine_.entries_, options);
  }
  void Put(absl::string_view key, absl::string_view value) override { buffer_.Put(key, value); }
  void Delete(absl::string_view key) override { buffer_.Delete(key); }

  absl::Status Commit() {
    RETURN_IF_ERROR(buffer_.status());
    absl::MutexLock lock(&engine_.mutex_);
    Apply(buffer_.writes(), &engine_.entries_);
    return absl::OkStatus();
  }

 private:
  MemoryKvEngine& engine_;
  WriteBuffer buffer_;
};

absl::StatusOr<std::optional<std::string>> MemoryKvEngine::Get(absl::string_view key) {
  return Transaction(this, nullptr).Get(key);
}

absl::StatusOr<std::vector<std::optional<std::string>>> MemoryKvEngine::MultiGet(absl::Span<const std::string> keys) {
  return Transaction(this, nullptr).MultiGet(keys);
}

absl::StatusOr<std::vector<KeyValue>> MemoryKvEngine::Scan(const ScanOptions& options) {
  return Transaction(this, nullptr).Scan(options);
}

absl::Status MemoryKvEngine::Transact(std::vector<Lock> locks, const Function& fn, Durability) {
  const std::vector<Lock> ordered = InLockingOrder(std::move(locks));
  return RetryWhileAborted(options_.retry, [&] { return TransactOnce(ordered, fn); });
}

Attempt MemoryKvEngine::TransactOnce(const std::vector<Lock>& locks, const Function& fn) {
  absl::StatusOr<LockTable::Held> held = locks_.Acquire(locks, options_.lock_timeout);
  if (!held.ok()) return {held.status(), RetryReason::kLockTimeout};
  Transaction transaction(this, &locks);
  if (absl::Status status = fn(transaction); !status.ok()) return {std::move(status), RetryReason::kFunction};
  return {transaction.Commit()};
}

}  // namespace entrepot::kv
