#include "services/kv/rocksdb/rocksdb_kv_engine.h"

#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/kv/testing/kv_conformance.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

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

TEST(RocksDbKvEngineTest, ReadsFromMemoryDoNotReadFiles) {
  const TemporaryDirectory directory;
  RocksDbKvEngine::Options options;
  options.directory = directory.path();
  auto engine = RocksDbKvEngine::Open(options).value();
  const std::string large(8192, 'x');
  const auto write = [&](KvTransaction& transaction) {
    transaction.Put("large", large);
    transaction.Put("small", "y");
    return absl::OkStatus();
  };
  ASSERT_OK(engine->Transact({}, write, Durability::kSynced));
  // The memtable has both.
  EXPECT_THAT(engine->in_memory().Get("large"), IsOkAndHolds(large));
  EXPECT_THAT(engine->in_memory().Get("small"), IsOkAndHolds("y"));
  const std::string keys[] = {"small", "large"};

  // Now they are in files: the small value in a table, whose block is cached once it was read; the large one in a blob
  // file, which has no cache.
  engine.reset();
  engine = RocksDbKvEngine::Open(options).value();
  EXPECT_TRUE(IsNotInMemory(engine->in_memory().Get("small").status()));
  EXPECT_TRUE(IsNotInMemory(engine->in_memory().Get("large").status()));
  EXPECT_TRUE(IsNotInMemory(engine->in_memory().MultiGet(keys).status()));
  EXPECT_THAT(engine->Get("small"), IsOkAndHolds("y"));
  EXPECT_THAT(engine->Get("large"), IsOkAndHolds(large));
  EXPECT_THAT(engine->in_memory().Get("small"), IsOkAndHolds("y"));
  EXPECT_TRUE(IsNotInMemory(engine->in_memory().Get("large").status()));
  EXPECT_TRUE(IsNotInMemory(engine->in_memory().MultiGet(keys).status()));
  EXPECT_THAT(engine->MultiGet(keys), IsOkAndHolds(::testing::ElementsAre("y", large)));
}

INSTANTIATE_TEST_SUITE_P(RocksDb, KvConformance, testing::Values(KvBackend{"rocksdb", Make}));

}  // namespace
}  // namespace entrepot::kv
