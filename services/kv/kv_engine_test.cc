#include "services/kv/kv_engine.h"

#include <string>

#include "gtest/gtest.h"

namespace entrepot::kv {
namespace {

TEST(KvEngineTest, BeginsAtThePrefixOrBehindStartAfter) {
  EXPECT_EQ(ScanBegin({.prefix = "", .start_after = ""}), "");
  EXPECT_EQ(ScanBegin({.prefix = "p/", .start_after = ""}), "p/");
  EXPECT_EQ(ScanBegin({.prefix = "p/", .start_after = "a"}), "p/");
  EXPECT_EQ(ScanBegin({.prefix = "p/", .start_after = "p/"}), std::string("p/\0", 3));
  EXPECT_EQ(ScanBegin({.prefix = "p/", .start_after = "p/x"}), std::string("p/x\0", 4));
  EXPECT_EQ(ScanBegin({.prefix = "p/", .start_after = "q"}), std::string("q\0", 2));
}

TEST(KvEngineTest, PrefixEndIsTheLeastGreaterKey) {
  EXPECT_EQ(PrefixEnd("a"), "b");
  EXPECT_EQ(PrefixEnd("a/"), "a0");
  EXPECT_EQ(PrefixEnd("a\xff\xff"), "b");
  EXPECT_EQ(PrefixEnd("\x7f"), "\x80");
  EXPECT_EQ(PrefixEnd(std::string("a\0", 2)), "a\x01");
}

TEST(KvEngineTest, AnEmptyPrefixOrOneOfHighestBytesHasNoEnd) {
  EXPECT_EQ(PrefixEnd(""), "");
  EXPECT_EQ(PrefixEnd("\xff"), "");
  EXPECT_EQ(PrefixEnd("\xff\xff"), "");
}

}  // namespace
}  // namespace entrepot::kv
