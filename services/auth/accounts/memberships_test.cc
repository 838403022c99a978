#include "services/auth/accounts/memberships.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/status/status_matchers.h"

namespace entrepot::auth {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class MembershipsTest : public testing::Test {
 protected:
  absl::Status Add(const std::string& group, const std::string& account) {
    return memberships_.Add(group, account, "admin", {.key = "lock of " + account},
                            [](kv::KvTransaction&) { return absl::OkStatus(); });
  }

  kv::MemoryKvEngine kv_;
  FakeClock clock_;
  Memberships memberships_{&kv_, &clock_};
};

TEST_F(MembershipsTest, AddsAndRemoves) {
  ASSERT_OK(Add("ops", "alice"));
  ASSERT_OK(Add("dev", "alice"));
  ASSERT_OK(Add("dev", "robot+deploy"));
  ASSERT_OK(Add("dev", "alice"));
  EXPECT_THAT(memberships_.GroupsOf("alice"), IsOkAndHolds(ElementsAre("dev", "ops")));
  EXPECT_THAT(memberships_.GroupsOf("ali"), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(memberships_.All(), IsOkAndHolds(ElementsAre(Pair("dev", ElementsAre("alice", "robot+deploy")),
                                                           Pair("ops", ElementsAre("alice")))));
  ASSERT_OK(memberships_.Remove("dev", "alice"));
  EXPECT_THAT(memberships_.GroupsOf("alice"), IsOkAndHolds(ElementsAre("ops")));
  EXPECT_THAT(memberships_.Remove("dev", "alice"), StatusIs(absl::StatusCode::kNotFound));
  ASSERT_OK(memberships_.Remove("ops", "alice"));
  EXPECT_THAT(memberships_.All(), IsOkAndHolds(ElementsAre(Pair("dev", ElementsAre("robot+deploy")))));
}

TEST_F(MembershipsTest, AddsOnlyIfTheCheckSucceeds) {
  EXPECT_THAT(memberships_.Add("dev", "nobody", "admin", {.key = "x"},
                               [](kv::KvTransaction&) { return absl::NotFoundError("no such account"); }),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(memberships_.All(), IsOkAndHolds(IsEmpty()));
}

TEST_F(MembershipsTest, RemovesAnAccountFromAllGroups) {
  ASSERT_OK(Add("ops", "alice"));
  ASSERT_OK(Add("dev", "alice"));
  ASSERT_OK(Add("dev", "alice2"));
  ASSERT_OK(kv_.Transact(
      {Memberships::LockOf("alice")},
      [](kv::KvTransaction& transaction) { return Memberships::RemoveFromAll(transaction, "alice"); },
      kv::Durability::kSynced));
  EXPECT_THAT(memberships_.GroupsOf("alice"), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(memberships_.All(), IsOkAndHolds(ElementsAre(Pair("dev", ElementsAre("alice2")))));
}

}  // namespace
}  // namespace entrepot::auth
