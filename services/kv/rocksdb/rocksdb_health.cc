#include "services/kv/rocksdb/rocksdb_health.h"

#include "absl/strings/str_cat.h"
#include "services/kv/rocksdb/rocksdb_status.h"

namespace entrepot::kv {
namespace {

// Only a compaction causes a soft error. No write depends on it, and RocksDB retries it.
bool StopsWrites(const rocksdb::Status& error) { return error.severity() >= rocksdb::Status::Severity::kHardError; }

}  // namespace

absl::Status RocksDbHealth::Check() const {
  if (!stopped_.load(std::memory_order_acquire)) return absl::OkStatus();
  absl::MutexLock lock(&mutex_);
  return cause_;
}

void RocksDbHealth::Stop(const absl::Status& cause) {
  absl::MutexLock lock(&mutex_);
  if (!cause_.ok()) return;
  cause_ = absl::Status(cause.code(), absl::StrCat("writing has stopped until a restart, after: ", cause.message()));
  stopped_.store(true, std::memory_order_release);
}

void RocksDbHealth::OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* error) {
  background_errors_.fetch_add(1, std::memory_order_relaxed);
  if (StopsWrites(*error)) Stop(FromRocksDb(*error, "background error"));
}

void RocksDbHealth::OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status error, bool* auto_recovery) {
  if (StopsWrites(error)) *auto_recovery = false;
}

}  // namespace entrepot::kv
