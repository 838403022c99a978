#include "services/auth/accounts/stored_users.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/auth/accounts/last_uses.h"
#include "services/auth/accounts/memberships.h"
#include "services/auth/tokens/refresh_tokens.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/status/status_matchers.h"

namespace entrepot::auth {
namespace {

using ::testing::IsEmpty;

class StoredUsersTest : public testing::Test {
 protected:
  kv::MemoryKvEngine kv_;
  FakeClock clock_;
  StoredUsers users_{&kv_, &clock_};
  const BcryptHash hash_ = BcryptHash::Make("secret", 4);
  const BcryptHash other_ = BcryptHash::Make("other", 4);
};

TEST_F(StoredUsersTest, CreatesChangesAndDeletes) {
  ASSERT_OK(users_.Create("alice", hash_, "admin"));
  ASSERT_OK_AND_ASSIGN(auto alice, users_.Find("alice"));
  ASSERT_TRUE(alice.has_value());
  EXPECT_TRUE(alice->password_hash.Matches("secret"));
  EXPECT_EQ(alice->created_at, clock_.Now());
  ASSERT_OK(users_.SetPassword("alice", other_));
  ASSERT_OK_AND_ASSIGN(alice, users_.Find("alice"));
  EXPECT_TRUE(alice->password_hash.Matches("other"));
  ASSERT_OK(users_.Delete("alice"));
  ASSERT_OK_AND_ASSIGN(alice, users_.Find("alice"));
  EXPECT_FALSE(alice.has_value());
}

TEST_F(StoredUsersTest, ReportsExistingAndMissingUsers) {
  ASSERT_OK(users_.Create("alice", hash_, "admin"));
  EXPECT_THAT(users_.Create("alice", other_, "admin"), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(users_.SetPassword("bob", other_), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(users_.Delete("bob"), StatusIs(absl::StatusCode::kNotFound));
  ASSERT_OK_AND_ASSIGN(const auto alice, users_.Find("alice"));
  EXPECT_TRUE(alice->password_hash.Matches("secret"));
}

TEST_F(StoredUsersTest, ListsSortedByName) {
  for (const char* name : {"carol", "alice", "bob"}) ASSERT_OK(users_.Create(name, hash_, "admin"));
  ASSERT_OK_AND_ASSIGN(const auto users, users_.List());
  ASSERT_EQ(users.size(), 3u);
  EXPECT_EQ(users[0].name, "alice");
  EXPECT_EQ(users[2].name, "carol");
}

TEST_F(StoredUsersTest, ANewUserInheritsNothingFromADeletedOne) {
  Memberships memberships(&kv_, &clock_);
  RefreshTokens tokens(&kv_, &clock_, absl::Hours(1));
  LastUses uses(&kv_, &clock_);
  ASSERT_OK(users_.Create("alice", hash_, "admin"));
  ASSERT_OK(memberships.Add("ops", "alice", "admin", StoredUsers::LockOf("alice"),
                            [](kv::KvTransaction&) { return absl::OkStatus(); }));
  ASSERT_OK_AND_ASSIGN(const std::string token,
                       tokens.Issue({.account = "alice", .client_id = "", .credential_sha256 = ""}));
  uses.Record("alice");
  ASSERT_OK(users_.Delete("alice"));
  ASSERT_OK(users_.Create("alice", hash_, "admin"));
  EXPECT_THAT(memberships.GroupsOf("alice"), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(memberships.All(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(uses.Find("alice"), IsOkAndHolds(std::nullopt));
  ASSERT_OK_AND_ASSIGN(const auto holder, tokens.Find(token));
  EXPECT_FALSE(holder.has_value());
}

}  // namespace
}  // namespace entrepot::auth
