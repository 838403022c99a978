#include "services/kv/lock_table.h"

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::kv {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

MATCHER_P2(LockOn, key, mode, "") { return arg.key == key && arg.mode == mode; }

constexpr absl::Duration kAtOnce = absl::ZeroDuration();

const std::vector<Lock> kSharedA = {{"a", LockMode::kShared}};
const std::vector<Lock> kExclusiveA = {{"a", LockMode::kExclusive}};

TEST(LockTableTest, EmptyStaysEmpty) { EXPECT_THAT(InLockingOrder({}), IsEmpty()); }

TEST(LockTableTest, SortsBytewise) {
  EXPECT_THAT(InLockingOrder({{"\xff"}, {"a"}, {std::string("a\0b", 3)}, {""}}),
              ElementsAre(LockOn("", LockMode::kExclusive), LockOn("a", LockMode::kExclusive),
                          LockOn(std::string("a\0b", 3), LockMode::kExclusive), LockOn("\xff", LockMode::kExclusive)));
}

TEST(LockTableTest, AKeyNamedTwiceIsLockedOnceExclusivelyIfEitherAsksForIt) {
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

TEST(LockTableTest, SharedLocksExcludeExclusiveOnesUntilTheLastIsGone) {
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

TEST(LockTableTest, WhereOneLockIsRefusedNoneIsHeld) {
  LockTable table;
  std::optional<LockTable::Held> held = *table.Acquire({{"b"}}, kAtOnce);
  EXPECT_THAT(table.Acquire({{"a"}, {"b"}}, kAtOnce), StatusIs(absl::StatusCode::kAborted));
  EXPECT_OK(table.Acquire(kExclusiveA, kAtOnce));
}

TEST(LockTableTest, LocksMoveWithTheirHolder) {
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

// Two threads hand a shared lock to one another without a gap between them, as pushes do with a base layer's.
TEST(LockTableTest, SharedLocksDoNotOvertakeAnExclusiveOneThatWaits) {
  LockTable table;
  std::atomic<bool> stop = false;
  std::atomic<int> holders = 0;
  std::vector<std::thread> sharers;
  for (int i = 0; i < 2; ++i) {
    sharers.emplace_back([&] {
      std::optional<LockTable::Held> held = *table.Acquire(kSharedA, absl::InfiniteDuration());
      ++holders;
      while (!stop) {
        // Takes the next before it gives this one back, unless somebody waits in between.
        absl::StatusOr<LockTable::Held> next = table.Acquire(kSharedA, kAtOnce);
        held.reset();
        if (!next.ok()) {
          held.emplace(*table.Acquire(kSharedA, absl::InfiniteDuration()));
        } else {
          held.emplace(*std::move(next));
        }
      }
    });
  }
  while (holders < 2) std::this_thread::yield();
  EXPECT_OK(table.Acquire(kExclusiveA, absl::Seconds(30)));
  stop = true;
  for (std::thread& sharer : sharers) sharer.join();
}

TEST(LockTableTest, WhoeverGivesUpWaitingLetsThoseBehindPass) {
  LockTable table;
  LockTable::Held shared = *table.Acquire(kSharedA, kAtOnce);
  std::atomic<bool> refused = false;
  std::thread exclusive([&] { refused = !table.Acquire(kExclusiveA, absl::Milliseconds(50)).ok(); });
  std::thread behind([&] {
    while (table.Acquire(kSharedA, kAtOnce).ok() && !refused) std::this_thread::yield();
    EXPECT_OK(table.Acquire(kSharedA, absl::Seconds(30)));
  });
  exclusive.join();
  behind.join();
  EXPECT_TRUE(refused);
}

TEST(LockTableTest, CountsRightUnderManyThreads) {
  LockTable table;
  int counter = 0;  // Guarded by the exclusive lock.
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 500; ++round) {
        const LockMode mode = (round + i) % 3 == 0 ? LockMode::kShared : LockMode::kExclusive;
        const LockTable::Held held = *table.Acquire({{"a", mode}, {"b", LockMode::kShared}}, absl::InfiniteDuration());
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
