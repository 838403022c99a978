#include "services/auth/records/auth_keys.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::auth::keys {
namespace {

using namespace std::string_literals;

// The layout is frozen: every version must read the keys that an earlier one has written.
TEST(AuthKeysTest, Layout) {
  EXPECT_EQ(Format(), "f/auth");
  EXPECT_EQ(SigningKeys(), "a/keys");
  EXPECT_EQ(User("alice"), "a/u/alice");
  EXPECT_EQ(Robot("deploy"), "a/r/deploy");
  EXPECT_EQ(MemberOfGroup("team", "alice"), "a/g/team\0alice"s);
  EXPECT_EQ(GroupOfMember("alice", "team"), "a/m/alice\0team"s);
  EXPECT_EQ(LastUse("alice"), "a/l/alice");
  EXPECT_EQ(RefreshToken("00ff"), "a/t/00ff");
  EXPECT_EQ(RefreshExpiry(absl::FromUnixMicros(0x1A2B), "00ff"), "a/e/0000000000001A2B\00000ff"s);
  EXPECT_EQ(RefreshGeneration("alice"), "a/v/alice");
  EXPECT_EQ(RefreshOfAccount("alice", absl::FromUnixMicros(0x1A2B), "00ff"), "a/o/alice\0000000000000001A2B\00000ff"s);
}

TEST(AuthKeysTest, PrefixesBeginTheirKeys) {
  EXPECT_TRUE(User("x").starts_with(Users()));
  EXPECT_TRUE(Robot("x").starts_with(Robots()));
  EXPECT_TRUE(MemberOfGroup("g", "x").starts_with(Memberships()));
  EXPECT_TRUE(GroupOfMember("x", "g").starts_with(GroupsOf("x")));
  EXPECT_FALSE(GroupOfMember("xy", "g").starts_with(GroupsOf("x")));
  EXPECT_TRUE(RefreshExpiry(absl::UnixEpoch(), "h").starts_with(RefreshExpiries()));
}

TEST(AuthKeysTest, DecodesMemberships) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, DecodeMembership(MemberOfGroup("team", "robot+deploy")));
  EXPECT_EQ(pair.first, "team");
  EXPECT_EQ(pair.second, "robot+deploy");
  for (const std::string& key : {"a/g/team"s, "a/g/a\0b\0c"s, "a/x/a\0b"s}) {
    EXPECT_THAT(DecodeMembership(key), StatusIs(absl::StatusCode::kDataLoss)) << key;
  }
}

TEST(AuthKeysTest, ExpiriesSortAsTimesDo) {
  const absl::Time early = absl::FromUnixMicros(1'700'000'000'000'000), late = early + absl::Microseconds(1);
  EXPECT_LT(RefreshExpiry(early, "ff"), RefreshExpiry(late, "00"));
  ASSERT_OK_AND_ASSIGN(const Expiry expiry, DecodeRefreshExpiry(RefreshExpiry(early, "ff")));
  EXPECT_EQ(expiry.expires_at, early);
  EXPECT_EQ(expiry.token_hash, "ff");
  for (const std::string& key : {"a/e/12\0ff"s, "a/e/000000000000000G\0ff"s, "a/e/0000000000000000"s}) {
    EXPECT_THAT(DecodeRefreshExpiry(key), StatusIs(absl::StatusCode::kDataLoss)) << key;
  }
}

}  // namespace
}  // namespace entrepot::auth::keys
