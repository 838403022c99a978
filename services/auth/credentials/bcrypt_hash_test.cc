#include "services/auth/credentials/bcrypt_hash.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::auth {
namespace {

using ::testing::HasSubstr;

// Test vectors of crypt_blowfish 1.3.
constexpr const char* kVector = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

BcryptHash Parsed(absl::string_view text) {
  absl::StatusOr<BcryptHash> hash = BcryptHash::Parse(text);
  EXPECT_OK(hash);
  return *std::move(hash);
}

TEST(BcryptHashTest, KnownHashes) {
  EXPECT_TRUE(Parsed(kVector).Matches("U*U"));
  EXPECT_FALSE(Parsed(kVector).Matches("U*V"));
  EXPECT_FALSE(Parsed(kVector).Matches(""));
  EXPECT_TRUE(Parsed("$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy").Matches(""));
  // The prefixes in use today give the same hash.
  EXPECT_TRUE(Parsed("$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW").Matches("U*U"));
  EXPECT_TRUE(Parsed("$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW").Matches("U*U"));
  EXPECT_EQ(Parsed(kVector).cost(), 5);
}

TEST(BcryptHashTest, NewHashesMatchOnlyTheirPassword) {
  const BcryptHash hash = BcryptHash::Make("correct horse", 4);
  EXPECT_EQ(hash.cost(), 4);
  EXPECT_OK(BcryptHash::Parse(hash.ToString()));
  EXPECT_TRUE(hash.Matches("correct horse"));
  EXPECT_FALSE(hash.Matches("correct horsf"));
  EXPECT_NE(BcryptHash::Make("correct horse", 4).ToString(), hash.ToString());
}

TEST(BcryptHashTest, LongPasswordsCountUpTo72Bytes) {
  const std::string long_password(5000, 'x');
  const BcryptHash hash = BcryptHash::Make(long_password, 4);
  EXPECT_TRUE(hash.Matches(long_password));
  EXPECT_TRUE(hash.Matches(std::string(72, 'x')));
  EXPECT_FALSE(hash.Matches(std::string(71, 'x')));
}

TEST(BcryptHashTest, APasswordWithNulMatchesNothing) {
  const BcryptHash hash = BcryptHash::Make("secret", 4);
  EXPECT_FALSE(hash.Matches(std::string("secret\0", 7)));
  EXPECT_FALSE(hash.Matches(std::string("secret\0x", 8)));
}

TEST(BcryptHashTest, TheDummyTakesTimeAndMatchesNothing) {
  const BcryptHash dummy = BcryptHash::Dummy(4);
  EXPECT_EQ(dummy.cost(), 4);
  EXPECT_OK(BcryptHash::Parse(dummy.ToString()));
  for (const char* password : {"", "secret", "."}) EXPECT_FALSE(dummy.Matches(password));
}

TEST(BcryptHashTest, RefusesInvalidHashes) {
  const std::string good = kVector;
  for (const std::string& text : {std::string(), std::string("secret"), std::string("$apr1$abc$def"),
                                  std::string("{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="), "$2x$" + good.substr(4)}) {
    EXPECT_THAT(std::string(BcryptHash::Parse(text).status().message()), HasSubstr("htpasswd -B")) << text;
  }
  for (const std::string& text :
       {good.substr(0, 59), good + "a", "$2a$05x" + good.substr(7), good.substr(0, 30) + "-" + good.substr(31)}) {
    EXPECT_THAT(std::string(BcryptHash::Parse(text).status().message()), HasSubstr("malformed")) << text;
  }
  for (const char* cost : {"03", "18", "31", "99", "0x", "-5", "\xd5\x35"}) {
    const auto hash = BcryptHash::Parse(absl::StrCat("$2a$", cost, "$", good.substr(7)));
    EXPECT_THAT(std::string(hash.status().message()), HasSubstr("cost")) << cost;
  }
}

}  // namespace
}  // namespace entrepot::auth
