#include "services/kv/lock_table.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::kv {
namespace {

constexpr absl::Duration kAtOnce = absl::ZeroDuration();

const std::vector<Lock> kSharedA = {{"a", LockMode::kShared}};
const std::vector<Lock> kExclusiveA = {{"a", LockMode::kExclusive}};

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

}  // namespace
}  // namespace entrepot::kv
