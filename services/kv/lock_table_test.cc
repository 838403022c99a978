#include "services/kv/lock_table.h"

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/status/status_matchers.h"

namespace entrepot::kv {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

MATCHER_P2(LockOn, key, mode, "") { return arg.key == key && arg.mode == mode; }

constexpr absl::Duration kAtOnce = absl::ZeroDuration();
constexpr absl::Duration kLong = absl::Seconds(30);

const std::vector<Lock> kSharedA = {{"a", LockMode::kShared}};
const std::vector<Lock> kExclusiveA = {{"a", LockMode::kExclusive}};

TEST(LockTableTest, OrdersNoLocks) { EXPECT_THAT(InLockingOrder({}), IsEmpty()); }

TEST(LockTableTest, OrdersLocksBytewise) {
  EXPECT_THAT(InLockingOrder({{"\xff"}, {"a"}, {std::string("a\0b", 3)}, {""}}),
              ElementsAre(LockOn("", LockMode::kExclusive), LockOn("a", LockMode::kExclusive),
                          LockOn(std::string("a\0b", 3), LockMode::kExclusive), LockOn("\xff", LockMode::kExclusive)));
}

TEST(LockTableTest, LocksAKeyOnceExclusivelyIfAnyLockIsExclusive) {
  EXPECT_THAT(
      InLockingOrder(
          {{"b", LockMode::kShared}, {"a", LockMode::kShared}, {"b", LockMode::kExclusive}, {"a", LockMode::kShared}}),
      ElementsAre(LockOn("a", LockMode::kShared), LockOn("b", LockMode::kExclusive)));
}

TEST(LockTableTest, RefusesToWriteUnderASharedLock) {
  std::vector<Lock> locks = InLockingOrder({{"c", LockMode::kShared}, {"a", LockMode::kExclusive}});
  EXPECT_TRUE(CheckWritable(locks, "a").ok());
  EXPECT_TRUE(CheckWritable(locks, "b").ok());
  EXPECT_TRUE(CheckWritable(locks, "d").ok());
  EXPECT_TRUE(absl::IsInternal(CheckWritable(locks, "c")));
}

TEST(LockTableTest, SharedLocksExcludeExclusiveOnesUntilTheLastIsReleased) {
  LockTable table;
  std::optional<LockTable::Held> one = *table.Acquire(kSharedA, kAtOnce);
  std::optional<LockTable::Held> two = *table.Acquire(kSharedA, kAtOnce);
  one.reset();
  EXPECT_THAT(table.Acquire(kExclusiveA, kAtOnce), StatusIs(absl::StatusCode::kAborted));
  two.reset();
  EXPECT_OK(table.Acquire(kExclusiveA, kAtOnce));
}

TEST(LockTableTest, AnExclusiveLockExcludesAll) {
  LockTable table;
  std::optional<LockTable::Held> held = *table.Acquire(kExclusiveA, kAtOnce);
  absl::Status refused = table.Acquire(kExclusiveA, kAtOnce).status();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(std::string(refused.message()), testing::HasSubstr("lock on key a"));
  EXPECT_THAT(table.Acquire(kSharedA, kAtOnce), StatusIs(absl::StatusCode::kAborted));
  held.reset();
  EXPECT_OK(table.Acquire(kSharedA, kAtOnce));
}

TEST(LockTableTest, HoldsNoLockIfOneIsRefused) {
  LockTable table;
  std::optional<LockTable::Held> held = *table.Acquire({{"b"}}, kAtOnce);
  EXPECT_THAT(table.Acquire({{"a"}, {"b"}}, kAtOnce), StatusIs(absl::StatusCode::kAborted));
  EXPECT_OK(table.Acquire(kExclusiveA, kAtOnce));
}

TEST(LockTableTest, LocksMoveWithTheObjectThatHoldsThem) {
  LockTable table;
  std::optional<LockTable::Held> held;
  {
    LockTable::Held first = *table.Acquire(kExclusiveA, kAtOnce);
    held.emplace(std::move(first));
  }
  EXPECT_THAT(table.Acquire(kExclusiveA, kAtOnce), StatusIs(absl::StatusCode::kAborted));
  held.reset();
  EXPECT_OK(table.Acquire(kExclusiveA, kAtOnce));
}

// Two threads hold a shared lock by turns, without a gap, as pushes of a common base layer do.
TEST(LockTableTest, SharedLocksDoNotOvertakeAWaitingExclusiveOne) {
  LockTable table;
  std::atomic<bool> stop = false;
  std::atomic<int> holders = 0;
  std::vector<std::thread> sharers;
  for (int i = 0; i < 2; ++i) {
    sharers.emplace_back([&] {
      std::optional<LockTable::Held> held = *table.Acquire(kSharedA, kLong);
      ++holders;
      while (!stop) {
        // Takes the next lock before it releases this one, unless another thread waits in between.
        absl::StatusOr<LockTable::Held> next = table.Acquire(kSharedA, kAtOnce);
        held.reset();
        if (!next.ok()) {
          held.emplace(*table.Acquire(kSharedA, kLong));
        } else {
          held.emplace(*std::move(next));
        }
      }
    });
  }
  EXPECT_TRUE(Eventually([&] { return holders == 2; }));
  EXPECT_OK(table.Acquire(kExclusiveA, kLong));
  stop = true;
  for (std::thread& sharer : sharers) sharer.join();
}

TEST(LockTableTest, AWaiterThatGivesUpLetsTheNextOnesPass) {
  LockTable table;
  LockTable::Held shared = *table.Acquire(kSharedA, kAtOnce);
  std::atomic<bool> refused = false;
  std::thread exclusive([&] { refused = !table.Acquire(kExclusiveA, absl::Milliseconds(50)).ok(); });
  std::thread behind([&] {
    EXPECT_TRUE(Eventually([&] { return refused || !table.Acquire(kSharedA, kAtOnce).ok(); }));
    EXPECT_OK(table.Acquire(kSharedA, kLong));
  });
  exclusive.join();
  behind.join();
  EXPECT_TRUE(refused);
}

TEST(LockTableTest, ExcludesManyThreads) {
  LockTable table;
  int counter = 0;  // Guarded by the exclusive lock.
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 500; ++round) {
        const LockMode mode = (round + i) % 3 == 0 ? LockMode::kShared : LockMode::kExclusive;
        const LockTable::Held held = *table.Acquire({{"a", mode}, {"b", LockMode::kShared}}, kLong);
        if (mode == LockMode::kExclusive) ++counter;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  int expected = 0;
  for (int i = 0; i < 8; ++i) {
    for (int round = 0; round < 500; ++round) expected += (round + i) % 3 == 0 ? 0 : 1;
  }
  EXPECT_EQ(counter, expected);
  EXPECT_OK(table.Acquire({{"a"}, {"b"}}, kAtOnce));
}

}  // namespace
}  // namespace entrepot::kv
