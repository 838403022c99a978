#include "services/kv/stack/kv_stack.h"

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/kv/testing/postgres_server.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace entrepot::kv {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class KvStackTest : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
};

std::set<std::string> Names(const prometheus::Collectable& collectable) {
  std::set<std::string> names;
  for (const prometheus::MetricFamily& family : collectable.Collect()) names.insert(family.name);
  return names;
}

TEST_F(KvStackTest, OpensAnEngineThatKeepsRecords) {
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<KvStack> stack, KvStack::Open(directory_.path(), registry_));
    ASSERT_OK(stack->engine()->Transact({{"a"}}, [](KvTransaction& transaction) {
      transaction.Put("a", "1");
      return absl::OkStatus();
    }));
    EXPECT_OK(stack->Health());
    EXPECT_OK(stack->CheckWritable());
  }
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<KvStack> stack,
                       KvStack::Open(directory_.path(), std::make_shared<prometheus::Registry>()));
  EXPECT_THAT(stack->engine()->Get("a"), IsOkAndHolds(testing::Optional(std::string("1"))));
}

TEST_F(KvStackTest, ShowsTheMetricsOfCallsAndOfRocksDb) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<KvStack> stack, KvStack::Open(directory_.path(), registry_));
  EXPECT_THAT(Names(*registry_), Contains("entrepot_metadata_transaction_duration_seconds"));
  std::shared_ptr<prometheus::Collectable> metrics = stack->engine_metrics();
  for (const char* name : {"entrepot_rocksdb_level0_files", "entrepot_rocksdb_stall_seconds_total",
                           "entrepot_rocksdb_pending_compaction_bytes", "entrepot_rocksdb_wal_syncs_total",
                           "entrepot_rocksdb_background_errors_total", "entrepot_rocksdb_block_cache_hits_total"}) {
    EXPECT_THAT(Names(*metrics), Contains(name));
  }
  stack.reset();
  EXPECT_THAT(Names(*metrics), IsEmpty()) << "the metrics may outlive the engine";
}

TEST_F(KvStackTest, CountsTheSyncsOfTheLog) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<KvStack> stack, KvStack::Open(directory_.path(), registry_));
  auto syncs = [&] {
    for (const prometheus::MetricFamily& family : stack->engine_metrics()->Collect()) {
      if (family.name == "entrepot_rocksdb_wal_syncs_total") return family.metric.at(0).counter.value;
    }
    return -1.0;
  };
  auto commit = [&](Durability durability) {
    ASSERT_OK(stack->engine()->Transact(
        {},
        [](KvTransaction& transaction) {
          transaction.Put("a", "1");
          return absl::OkStatus();
        },
        durability));
  };
  const double before = syncs();
  commit(Durability::kBuffered);
  EXPECT_EQ(syncs(), before);
  commit(Durability::kSynced);
  EXPECT_EQ(syncs(), before + 1);
  ASSERT_OK(
      stack->engine()->Transact({{"a"}}, [](KvTransaction& transaction) { return transaction.Get("a").status(); }));
  EXPECT_EQ(syncs(), before + 1) << "a transaction that wrote nothing syncs nothing";
}

TEST_F(KvStackTest, RecognizesTheDirectoryOfAStore) {
  const std::string store = directory_.path() + "/kv";
  const std::string copy = directory_.path() + "/copy";
  EXPECT_FALSE(HoldsKvStore(directory_.path())) << "an empty directory";
  EXPECT_FALSE(HoldsKvStore(store)) << "a missing directory";
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<KvStack> stack, KvStack::Open(store, registry_));
    EXPECT_TRUE(HoldsKvStore(store)) << "an open store";
    ASSERT_OK(stack->Snapshot(copy));
  }
  EXPECT_TRUE(HoldsKvStore(store));
  EXPECT_TRUE(HoldsKvStore(copy));
  EXPECT_FALSE(HoldsKvStore(directory_.path())) << "the parent of a store";
}

TEST_F(KvStackTest, ReportsADirectoryInUse) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<KvStack> stack, KvStack::Open(directory_.path(), registry_));
  absl::Status second = KvStack::Open(directory_.path(), std::make_shared<prometheus::Registry>()).status();
  EXPECT_THAT(second, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(second.message()), HasSubstr("in use by another process"));
}

TEST_F(KvStackTest, KeepsRecordsInPostgres) {
  PostgresServer& server = PostgresServer::Shared();
  config::v1::RecordStore records;
  config::v1::Postgres& postgres = *records.mutable_postgres();
  postgres.add_servers(server.directory());
  postgres.set_database(server.NewDatabase());
  postgres.set_user("postgres");
  postgres.set_connections_max(4);
  postgres.mutable_connection_wait()->set_seconds(5);
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<KvStack> stack, KvStack::Open(records, directory_.path() + "/kv", registry_));
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<KvStack> other,
                       KvStack::Open(records, "", std::make_shared<prometheus::Registry>()));
  EXPECT_TRUE(stack->shared());
  ASSERT_OK(stack->engine()->Transact({{"a"}}, [](KvTransaction& transaction) {
    transaction.Put("a", "1");
    return absl::OkStatus();
  }));
  EXPECT_THAT(other->engine()->Get("a"), IsOkAndHolds(testing::Optional(std::string("1"))));
  EXPECT_OK(stack->Health());
  EXPECT_OK(stack->CheckWritable());
  EXPECT_THAT(Names(*stack->engine_metrics()), Contains("entrepot_postgres_connections_open"));
  EXPECT_THAT(stack->Snapshot(directory_.path() + "/copy"), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_FALSE(HoldsKvStore(directory_.path() + "/kv")) << "nothing is written below the data directory";
}

TEST_F(KvStackTest, KeepsRecordsInTheDirectoryIfNoDatabaseIsNamed) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<KvStack> stack,
                       KvStack::Open(config::v1::RecordStore(), directory_.path() + "/kv", registry_));
  EXPECT_FALSE(stack->shared());
  EXPECT_TRUE(HoldsKvStore(directory_.path() + "/kv"));
}

class KvStackSnapshotTest : public KvStackTest {
 protected:
  std::unique_ptr<KvStack> Open(const std::string& directory) {
    absl::StatusOr<std::unique_ptr<KvStack>> stack = KvStack::Open(directory, std::make_shared<prometheus::Registry>());
    EXPECT_OK(stack);
    return stack.ok() ? *std::move(stack) : nullptr;
  }

  static void Put(KvStack& stack, const std::string& key, const std::string& value, Durability durability) {
    EXPECT_OK(stack.engine()->Transact(
        {{key}},
        [&](KvTransaction& transaction) {
          transaction.Put(key, value);
          return absl::OkStatus();
        },
        durability));
  }

  const std::string original_ = directory_.path() + "/kv";
  const std::string copy_ = directory_.path() + "/copy";
};

TEST_F(KvStackSnapshotTest, ContainsEarlierCommitsAndOpensLikeTheOriginal) {
  const std::unique_ptr<KvStack> stack = Open(original_);
  ASSERT_NE(stack, nullptr);
  Put(*stack, "synced", "1", Durability::kSynced);
  Put(*stack, "buffered", "2", Durability::kBuffered);
  Put(*stack, "large", std::string(100'000, 'x'), Durability::kBuffered);
  ASSERT_OK(stack->Snapshot(copy_));
  Put(*stack, "later", "4", Durability::kSynced);
  Put(*stack, "synced", "5", Durability::kSynced);

  const std::unique_ptr<KvStack> copy = Open(copy_);
  ASSERT_NE(copy, nullptr);
  EXPECT_THAT(copy->engine()->Get("synced"), IsOkAndHolds(testing::Optional(std::string("1"))));
  EXPECT_THAT(copy->engine()->Get("buffered"), IsOkAndHolds(testing::Optional(std::string("2"))));
  EXPECT_THAT(copy->engine()->Get("large"), IsOkAndHolds(testing::Optional(std::string(100'000, 'x'))));
  EXPECT_THAT(copy->engine()->Get("later"), IsOkAndHolds(testing::Eq(std::nullopt)));
  Put(*copy, "own", "6", Durability::kSynced);
  EXPECT_THAT(stack->engine()->Get("own"), IsOkAndHolds(testing::Eq(std::nullopt))) << "they share no file to write to";
}

TEST_F(KvStackSnapshotTest, ContainsAllAcknowledgedCommitsOfConcurrentWriters) {
  const std::unique_ptr<KvStack> stack = Open(original_);
  ASSERT_NE(stack, nullptr);
  constexpr int kWriters = 4;
  std::atomic<bool> stop{false};
  std::array<std::atomic<int>, kWriters> acknowledged{};
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; !stop; ++i) {
        Put(*stack, absl::StrCat(w, "/", i), std::string(3'000, 'x'),
            i % 2 ? Durability::kSynced : Durability::kBuffered);
        acknowledged[w] = i;
      }
    });
  }
  constexpr int kSnapshots = 5;
  std::vector<std::array<int, kWriters>> before;
  for (int s = 0; s < kSnapshots; ++s) {
    for (int w = 0; w < kWriters; ++w) {
      EXPECT_TRUE(Eventually([&] { return acknowledged[w] >= 5 * (s + 1); }));
    }
    std::array<int, kWriters> seen;
    for (int w = 0; w < kWriters; ++w) seen[w] = acknowledged[w];
    before.push_back(seen);
    EXPECT_OK(stack->Snapshot(absl::StrCat(copy_, s)));
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();

  for (int s = 0; s < kSnapshots; ++s) {
    const std::unique_ptr<KvStack> copy = Open(absl::StrCat(copy_, s));
    ASSERT_NE(copy, nullptr) << s;
    for (int w = 0; w < kWriters; ++w) {
      bool ended = false;
      for (int i = 0; !ended; ++i) {
        ASSERT_OK_AND_ASSIGN(const auto value, copy->engine()->Get(absl::StrCat(w, "/", i)));
        ended = !value.has_value();
        EXPECT_FALSE(ended && i <= before[s][w]) << "snapshot " << s << " lacks record " << i << " of " << before[s][w];
      }
    }
  }
}

TEST_F(KvStackSnapshotTest, DoesNotOverwrite) {
  const std::unique_ptr<KvStack> stack = Open(original_);
  ASSERT_NE(stack, nullptr);
  ASSERT_OK(stack->Snapshot(copy_));
  EXPECT_THAT(stack->Snapshot(copy_), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_FALSE(stack->Snapshot(directory_.path() + "/missing/copy").ok());
  EXPECT_OK(stack->Health());
}

}  // namespace
}  // namespace entrepot::kv
