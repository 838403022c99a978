#include "services/kv/kv_factory.h"

#include <memory>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/kv/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace entrepot::kv {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class KvFactoryTest : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
};

std::set<std::string> Names(const prometheus::Collectable& collectable) {
  std::set<std::string> names;
  for (const prometheus::MetricFamily& family : collectable.Collect()) names.insert(family.name);
  return names;
}

TEST_F(KvFactoryTest, OpensAnEngineThatKeepsWhatIsWritten) {
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<KvStack> stack, KvStack::Open(directory_.path(), registry_));
    ASSERT_OK(stack->engine()->Transact({{"a"}}, [](KvTransaction& transaction) {
      transaction.Put("a", "1");
      return absl::OkStatus();
    }));
    EXPECT_OK(stack->Health());
  }
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<KvStack> stack,
                       KvStack::Open(directory_.path(), std::make_shared<prometheus::Registry>()));
  EXPECT_THAT(stack->engine()->Get("a"), IsOkAndHolds(testing::Optional(std::string("1"))));
}

TEST_F(KvFactoryTest, ShowsTheMetricsOfCallsAndOfRocksDb) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<KvStack> stack, KvStack::Open(directory_.path(), registry_));
  EXPECT_THAT(Names(*registry_), Contains("entrepot_metadata_transaction_duration_seconds"));
  std::shared_ptr<prometheus::Collectable> metrics = stack->engine_metrics();
  for (const char* name : {"entrepot_rocksdb_level0_files", "entrepot_rocksdb_stall_seconds_total",
                           "entrepot_rocksdb_pending_compaction_bytes", "entrepot_rocksdb_wal_syncs_total",
                           "entrepot_rocksdb_background_errors_total", "entrepot_rocksdb_block_cache_hits_total"}) {
    EXPECT_THAT(Names(*metrics), Contains(name));
  }
  stack.reset();
  EXPECT_THAT(Names(*metrics), IsEmpty()) << "they may outlive the engine";
}

TEST_F(KvFactoryTest, CountsTheSyncsOfTheLog) {
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

TEST_F(KvFactoryTest, ADirectoryInUseIsOneClearError) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<KvStack> stack, KvStack::Open(directory_.path(), registry_));
  absl::Status second = KvStack::Open(directory_.path(), std::make_shared<prometheus::Registry>()).status();
  EXPECT_THAT(second, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(second.message()), HasSubstr("in use by another process"));
}

}  // namespace
}  // namespace entrepot::kv
