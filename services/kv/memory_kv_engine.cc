#include "services/kv/memory_kv_engine.h"

#include <utility>

#include "absl/strings/match.h"
#include "services/kv/lock_list.h"
#include "services/kv/scan_range.h"
#include "services/status/status_macros.h"

namespace entrepot::kv {

class MemoryKvEngine::Transaction : public KvTransaction {
 public:
  Transaction(MemoryKvEngine* engine, const std::vector<Lock>* locks) : engine_(engine), locks_(locks) {}

  absl::StatusOr<std::optional<std::string>> Get(absl::string_view key) override {
    auto write = writes_.find(key);
    if (write != writes_.end()) return write->second;
    return engine_->Get(key);
  }

  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(absl::Span<const std::string> keys) override {
    ASSIGN_OR_RETURN(std::vector<std::optional<std::string>> values, engine_->MultiGet(keys));
    for (size_t i = 0; i < keys.size(); ++i) {
      auto write = writes_.find(keys[i]);
      if (write != writes_.end()) values[i] = write->second;
    }
    return values;
  }

  absl::StatusOr<std::vector<KeyValue>> Scan(const ScanOptions& options) override {
    return engine_->ScanWith(writes_, options);
  }

  void Put(absl::string_view key, absl::string_view value) override { Write(key, std::string(value)); }
  void Delete(absl::string_view key) override { Write(key, std::nullopt); }

  const absl::Status& write_status() const { return write_status_; }
  Writes& writes() { return writes_; }

 private:
  void Write(absl::string_view key, std::optional<std::string> value) {
    if (write_status_.ok()) write_status_ = CheckWritable(*locks_, key);
    if (write_status_.ok()) writes_.insert_or_assign(std::string(key), std::move(value));
  }

  MemoryKvEngine* const engine_;
  const std::vector<Lock>* const locks_;
  Writes writes_;
  absl::Status write_status_;
};

absl::StatusOr<std::optional<std::string>> MemoryKvEngine::Get(absl::string_view key) {
  absl::ReaderMutexLock lock(&mutex_);
  auto entry = entries_.find(key);
  if (entry == entries_.end()) return std::nullopt;
  return entry->second;
}

absl::StatusOr<std::vector<std::optional<std::string>>> MemoryKvEngine::MultiGet(absl::Span<const std::string> keys) {
  std::vector<std::optional<std::string>> values(keys.size());
  absl::ReaderMutexLock lock(&mutex_);
  for (size_t i = 0; i < keys.size(); ++i) {
    auto entry = entries_.find(keys[i]);
    if (entry != entries_.end()) values[i] = entry->second;
  }
  return values;
}

absl::StatusOr<std::vector<KeyValue>> MemoryKvEngine::Scan(const ScanOptions& options) { return ScanWith({}, options); }

std::vector<KeyValue> MemoryKvEngine::ScanWith(const Writes& writes, const ScanOptions& options) const {
  const std::string begin = ScanBegin(options);
  std::vector<KeyValue> found;
  absl::ReaderMutexLock lock(&mutex_);
  auto entry = entries_.lower_bound(begin);
  auto write = writes.lower_bound(begin);
  while (found.size() < options.limit && (entry != entries_.end() || write != writes.end())) {
    const bool from_writes = write != writes.end() && (entry == entries_.end() || write->first <= entry->first);
    const std::string& key = from_writes ? write->first : entry->first;
    if (!absl::StartsWith(key, options.prefix)) break;
    if (!from_writes) {
      found.push_back({key, entry->second});
    } else if (write->second.has_value()) {
      found.push_back({key, *write->second});
    }
    if (from_writes && entry != entries_.end() && entry->first == key) ++entry;
    from_writes ? void(++write) : void(++entry);
  }
  return found;
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
  if (!transaction.write_status().ok()) return {transaction.write_status()};
  absl::MutexLock lock(&mutex_);
  for (auto& [key, value] : transaction.writes()) {
    if (value.has_value()) {
      entries_.insert_or_assign(key, *std::move(value));
    } else {
      entries_.erase(key);
    }
  }
  return {absl::OkStatus()};
}

}  // namespace entrepot::kv
