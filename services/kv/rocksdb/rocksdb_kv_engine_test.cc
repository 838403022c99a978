#include "services/kv/rocksdb/rocksdb_kv_engine.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rocksdb/db.h"
#include "rocksdb/options.h"
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

// Fills the directory with a database of many tables. RocksDB opens 16 of them with the database, and the others when
// they are read.
void WriteManyTables(const std::string& directory, absl::Span<const std::string> keys, const std::string& value) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.compression = rocksdb::kNoCompression;
  options.disable_auto_compactions = true;
  options.level_compaction_dynamic_level_bytes = true;
  // A table ends after its first block.
  options.target_file_size_base = 1;
  rocksdb::DB* opened = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(options, directory, &opened).ok());
  const std::unique_ptr<rocksdb::DB> db(opened);
  for (const std::string& key : keys) ASSERT_TRUE(db->Put(rocksdb::WriteOptions(), key, value).ok());
  rocksdb::CompactRangeOptions everything;
  everything.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  ASSERT_TRUE(db->CompactRange(everything, nullptr, nullptr).ok());
  std::vector<rocksdb::LiveFileMetaData> tables;
  db->GetLiveFilesMetaData(&tables);
  ASSERT_GT(tables.size(), 20u);
}

TEST(RocksDbKvEngineTest, StopsWritingIfItsDirectoryWasReplaced) {
  const TemporaryDirectory temporary;
  RocksDbKvEngine::Options options;
  options.directory = temporary.path() + "/kv";
  auto engine = RocksDbKvEngine::Open(options).value();
  const auto put = [&](const std::string& key) {
    return engine->Transact(
        {{key, LockMode::kExclusive}},
        [&](KvTransaction& transaction) {
          transaction.Put(key, "x");
          return absl::OkStatus();
        },
        Durability::kSynced);
  };
  ASSERT_OK(put("a"));
  const std::string moved = temporary.path() + "/moved";
  std::filesystem::rename(options.directory, moved);
  std::filesystem::copy(moved, options.directory, std::filesystem::copy_options::recursive);
  EXPECT_THAT(put("b"), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(engine->CheckWritable().message()), testing::HasSubstr("was replaced by another one"));
  EXPECT_FALSE(engine->Health().ok());
  EXPECT_EQ(engine->Get("a").value(), "x");

  // RocksDB may have made a file in the other directory in between.
  std::filesystem::remove_all(options.directory);
  std::filesystem::rename(moved, options.directory);
  EXPECT_THAT(put("b"), StatusIs(absl::StatusCode::kUnavailable));
  engine.reset();
  engine = RocksDbKvEngine::Open(options).value();
  EXPECT_OK(put("b"));
  EXPECT_EQ(engine->Get("a").value(), "x");
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

// If the table of a key is not open, RocksDB answers a read from memory with OK and an empty value.
TEST(RocksDbKvEngineTest, ReadsFromMemoryGiveNoValueOfATableThatIsNotOpen) {
  const TemporaryDirectory directory;
  std::vector<std::string> keys;
  for (int i = 100; i < 200; ++i) keys.push_back(absl::StrCat("key", i));
  const std::string value(5000, 'x');
  WriteManyTables(directory.path(), keys, value);
  RocksDbKvEngine::Options options;
  options.directory = directory.path();
  const auto engine = RocksDbKvEngine::Open(options).value();
  KvReader& memory = engine->in_memory();
  for (const std::string& key : keys) {
    const std::string both[] = {key, key + "-absent"};
    EXPECT_TRUE(IsNotInMemory(memory.Get(key).status())) << key;
    EXPECT_TRUE(IsNotInMemory(memory.MultiGet(both).status())) << key;
    EXPECT_EQ(memory.Get(both[1]).value_or(std::nullopt), std::nullopt) << key;
  }
  EXPECT_THAT(engine->Get(keys.back()), IsOkAndHolds(value));
  EXPECT_THAT(memory.Get(keys.back()), IsOkAndHolds(value));
}

INSTANTIATE_TEST_SUITE_P(RocksDb, KvConformance, testing::Values(KvBackend{"rocksdb", Make}));

}  // namespace
}  // namespace entrepot::kv
