#include "services/kv/rocksdb/rocksdb_kv_engine.h"

#include <memory>
#include <utility>

#include "gtest/gtest.h"
#include "services/kv/testing/kv_conformance.h"
#include "services/kv/testing/temporary_directory.h"

namespace entrepot::kv {
namespace {

// An engine in its own temporary directory.
class TemporaryRocksDb : private TemporaryDirectory, public KvEngine {
 public:
  explicit TemporaryRocksDb(RocksDbKvEngine::Options options) {
    options.directory = path();
    engine_ = RocksDbKvEngine::Open(options).value();
  }

  absl::StatusOr<std::optional<std::string>> Get(absl::string_view key) override { return engine_->Get(key); }
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(absl::Span<const std::string> keys) override {
    return engine_->MultiGet(keys);
  }
  absl::StatusOr<std::vector<KeyValue>> Scan(const ScanOptions& options) override { return engine_->Scan(options); }
  absl::Status Transact(std::vector<Lock> locks, const Function& fn, Durability durability) override {
    return engine_->Transact(std::move(locks), fn, durability);
  }

 private:
  std::unique_ptr<RocksDbKvEngine> engine_;
};

std::unique_ptr<KvEngine> Make(const RetryPolicy& retry, absl::Duration lock_timeout) {
  RocksDbKvEngine::Options options;
  options.lock_timeout = lock_timeout;
  options.retry = retry;
  return std::make_unique<TemporaryRocksDb>(options);
}

INSTANTIATE_TEST_SUITE_P(RocksDb, KvConformance, testing::Values(KvBackend{"rocksdb", Make}));

}  // namespace
}  // namespace entrepot::kv
