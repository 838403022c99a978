#include "services/auth/accounts/last_uses.h"

#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/status/status_matchers.h"

namespace entrepot::auth {
namespace {

class LastUsesTest : public testing::Test {
 protected:
  kv::MemoryKvEngine kv_;
  FakeClock clock_;
  LastUses uses_{&kv_, &clock_};
};

TEST_F(LastUsesTest, RecordsOnceAMinute) {
  EXPECT_THAT(uses_.Find("alice"), IsOkAndHolds(std::nullopt));
  const absl::Time first = clock_.Now();
  uses_.Record("alice");
  EXPECT_THAT(uses_.Find("alice"), IsOkAndHolds(first));
  clock_.Advance(absl::Seconds(59));
  uses_.Record("alice");
  uses_.Record("bob");
  EXPECT_THAT(uses_.Find("alice"), IsOkAndHolds(first));
  EXPECT_THAT(uses_.Find("bob"), IsOkAndHolds(clock_.Now()));
  clock_.Advance(absl::Seconds(1));
  uses_.Record("alice");
  EXPECT_THAT(uses_.Find("alice"), IsOkAndHolds(clock_.Now()));
}

TEST_F(LastUsesTest, IsDeletedWithTheAccount) {
  uses_.Record("alice");
  ASSERT_OK(kv_.Transact(
      {},
      [](kv::KvTransaction& transaction) {
        LastUses::Forget(transaction, "alice");
        return absl::OkStatus();
      },
      kv::Durability::kSynced));
  EXPECT_THAT(uses_.Find("alice"), IsOkAndHolds(std::nullopt));
}

}  // namespace
}  // namespace entrepot::auth
