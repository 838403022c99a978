#include "services/kv/postgres/postgres_locks.h"

#include <algorithm>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::kv {
namespace {

using testing::ElementsAre;

TEST(PostgresLocksTest, IdsAreFrozen) {
  // SHA-256 of "" and "abc" (FIPS 180-4).
  EXPECT_EQ(LockIdOf(""), static_cast<int64_t>(0xe3b0c44298fc1c14));
  EXPECT_EQ(LockIdOf("abc"), static_cast<int64_t>(0xba7816bf8f01cfea));
}

TEST(PostgresLocksTest, AreInTheOrderOfTheirIdsWhateverTheOrderOfTheKeys) {
  std::vector<Lock> locks;
  for (char key = 'a'; key <= 'z'; ++key) locks.push_back({std::string(1, key), LockMode::kShared});
  const PostgresLocks forwards = InIdOrder(locks);
  std::reverse(locks.begin(), locks.end());
  EXPECT_EQ(InIdOrder(locks).ids, forwards.ids);
  EXPECT_TRUE(std::is_sorted(forwards.ids.begin(), forwards.ids.end()));
  EXPECT_FALSE(forwards.any_exclusive());
}

TEST(PostgresLocksTest, AnIdIsTakenOnceAndExclusivelyIfAnyLockIs) {
  for (const auto& modes :
       {std::pair(LockMode::kShared, LockMode::kExclusive), std::pair(LockMode::kExclusive, LockMode::kShared)}) {
    const PostgresLocks locks = InIdOrder({{"a", modes.first}, {"a", modes.second}});
    EXPECT_THAT(locks.ids, ElementsAre(LockIdOf("a")));
    EXPECT_THAT(locks.exclusive, ElementsAre(true));
    EXPECT_TRUE(locks.any_exclusive());
  }
  EXPECT_THAT(InIdOrder({{"a", LockMode::kShared}, {"a", LockMode::kShared}}).exclusive, ElementsAre(false));
  EXPECT_TRUE(InIdOrder({}).ids.empty());
}

}  // namespace
}  // namespace entrepot::kv
