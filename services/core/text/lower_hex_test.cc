#include "services/core/text/lower_hex.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace entrepot {
namespace {

TEST(LowerHexTest, AcceptsLowerCaseDigitsOnly) {
  EXPECT_TRUE(IsLowerHex("0123456789abcdef"));
  EXPECT_TRUE(IsLowerHex(""));
  for (const char* text : {"A", "g", "0x", " 0", "`", "/", ":"}) EXPECT_FALSE(IsLowerHex(text)) << text;
  EXPECT_FALSE(IsLowerHex(absl::string_view("\0", 1)));
}

TEST(LowerHexTest, RandomStringsDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string hex = RandomLowerHex(16);
    EXPECT_EQ(hex.size(), 32);
    EXPECT_TRUE(IsLowerHex(hex)) << hex;
    seen.insert(hex);
  }
  EXPECT_EQ(seen.size(), 100);
}

TEST(LowerHexTest, ReturnsTheRequestedNumberOfBytes) {
  EXPECT_EQ(RandomLowerHex(0), "");
  EXPECT_EQ(RandomLowerHex(32).size(), 64);
}

}  // namespace
}  // namespace entrepot
