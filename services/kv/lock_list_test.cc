#include "services/kv/lock_list.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::kv {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

MATCHER_P2(LockOn, key, mode, "") { return arg.key == key && arg.mode == mode; }

TEST(LockListTest, EmptyStaysEmpty) { EXPECT_THAT(InLockingOrder({}), IsEmpty()); }

TEST(LockListTest, SortsBytewise) {
  EXPECT_THAT(InLockingOrder({{"\xff"}, {"a"}, {std::string("a\0b", 3)}, {""}}),
              ElementsAre(LockOn("", LockMode::kExclusive), LockOn("a", LockMode::kExclusive),
                          LockOn(std::string("a\0b", 3), LockMode::kExclusive), LockOn("\xff", LockMode::kExclusive)));
}

TEST(LockListTest, AKeyNamedTwiceIsLockedOnceExclusivelyIfEitherAsksForIt) {
  EXPECT_THAT(
      InLockingOrder(
          {{"b", LockMode::kShared}, {"a", LockMode::kShared}, {"b", LockMode::kExclusive}, {"a", LockMode::kShared}}),
      ElementsAre(LockOn("a", LockMode::kShared), LockOn("b", LockMode::kExclusive)));
}

TEST(LockListTest, RefusesToWriteUnderASharedLock) {
  std::vector<Lock> locks = InLockingOrder({{"c", LockMode::kShared}, {"a", LockMode::kExclusive}});
  EXPECT_TRUE(CheckWritable(locks, "a").ok());
  EXPECT_TRUE(CheckWritable(locks, "b").ok());
  EXPECT_TRUE(CheckWritable(locks, "d").ok());
  EXPECT_TRUE(absl::IsInternal(CheckWritable(locks, "c")));
}

}  // namespace
}  // namespace entrepot::kv
