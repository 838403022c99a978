#include "tests/simulation/simulated_kv.h"

#include <optional>
#include <set>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace entrepot::simulation {
namespace {

using kv::Durability;
using kv::LockMode;

absl::Status Put(kv::KvEngine& kv, const std::string& key, const std::string& value, Durability durability) {
  return kv.Transact(
      {{key}},
      [&](kv::KvTransaction& transaction) {
        transaction.Put(key, value);
        return absl::OkStatus();
      },
      durability);
}

class SimulatedKvTest : public testing::TestWithParam<uint64_t> {
 protected:
  Scheduler scheduler_{GetParam(), {}};
  Faults faults_;
  SimulatedKv kv_{&scheduler_, &faults_};
  Process process_{"one"}, other_{"two"};
  const std::unique_ptr<kv::KvEngine> engine_ = kv_.Connect(&process_);
  const std::unique_ptr<kv::KvEngine> other_engine_ = kv_.Connect(&other_);
};
INSTANTIATE_TEST_SUITE_P(Seeds, SimulatedKvTest, testing::Range<uint64_t>(1, 101));

TEST_P(SimulatedKvTest, ExclusiveLocksKeepReadAndWriteTogether) {
  for (int i = 0; i < 4; ++i) {
    scheduler_.Spawn(absl::StrCat("adds ", i), [&, i] {
      kv::KvEngine& engine = i % 2 == 0 ? *engine_ : *other_engine_;
      EXPECT_TRUE(engine
                      .Transact({{"n"}},
                                [](kv::KvTransaction& transaction) {
                                  int n = 0;
                                  const auto before = transaction.Get("n").value();
                                  EXPECT_TRUE(!before.has_value() || absl::SimpleAtoi(*before, &n));
                                  transaction.Put("n", absl::StrCat(n + 1));
                                  return absl::OkStatus();
                                })
                      .ok());
    });
  }
  scheduler_.Run();
  EXPECT_EQ(kv_.entries().find("n")->second, "4");
}

TEST_P(SimulatedKvTest, ADeadProcessWritesNothingAndItsLocksAreFree) {
  bool wrote = false;
  scheduler_.Spawn("dies", [&] {
    const absl::Status status = engine_->Transact({{"a"}}, [&](kv::KvTransaction& transaction) {
      transaction.Put("a", "of the dead");
      process_.alive = false;
      kv_.Release(&process_);
      return absl::OkStatus();
    });
    EXPECT_TRUE(absl::IsUnavailable(status));
  });
  scheduler_.Spawn("goes on", [&] {
    scheduler_.WaitUntil("waits", [&] { return !process_.alive; });
    EXPECT_TRUE(Put(*other_engine_, "a", "of the living", Durability::kSynced).ok());
    wrote = true;
  });
  scheduler_.Run();
  EXPECT_TRUE(wrote);
  EXPECT_FALSE(scheduler_.stuck());
  EXPECT_EQ(kv_.entries().find("a")->second, "of the living");
}

TEST_P(SimulatedKvTest, WritingUnderASharedLockIsRefused) {
  const absl::Status status = engine_->Transact({{"a", LockMode::kShared}}, [](kv::KvTransaction& transaction) {
    transaction.Put("a", "1");
    return absl::OkStatus();
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(kv_.entries().empty());
}

TEST_P(SimulatedKvTest, APowerCutTakesTheLastOfWhatWasBuffered) {
  ASSERT_TRUE(Put(*engine_, "a", "1", Durability::kBuffered).ok());
  ASSERT_TRUE(Put(*engine_, "b", "1", Durability::kSynced).ok());
  ASSERT_TRUE(Put(*engine_, "a", "2", Durability::kBuffered).ok());
  ASSERT_TRUE(Put(*engine_, "c", "1", Durability::kBuffered).ok());
  kv_.LosePower();
  const auto a = kv_.entries().find("a");
  ASSERT_NE(a, kv_.entries().end());
  EXPECT_TRUE(kv_.entries().contains("b"));
  // Earlier commits are durable too.
  EXPECT_TRUE(!kv_.entries().contains("c") || a->second == "2");
}

}  // namespace
}  // namespace entrepot::simulation
