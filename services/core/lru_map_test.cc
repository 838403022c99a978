#include "services/core/lru_map.h"

#include <string>

#include "gtest/gtest.h"

namespace entrepot {
namespace {

TEST(LruMapTest, KeepsTheMostRecentlyUsed) {
  LruMap<std::string, int> map(2);
  map["a"] = 1;
  map["b"] = 2;
  ASSERT_NE(map.Find("a"), nullptr);
  map["c"] = 3;
  EXPECT_EQ(map.Find("b"), nullptr);
  ASSERT_NE(map.Find("a"), nullptr);
  EXPECT_EQ(*map.Find("a"), 1);
  EXPECT_EQ(*map.Find("c"), 3);
  EXPECT_EQ(map.size(), 2u);
}

TEST(LruMapTest, WritingCountsAsUse) {
  LruMap<int, int> map(2);
  map[1] = 1;
  map[2] = 2;
  map[1] = 3;
  map[4] = 4;
  EXPECT_EQ(map.Find(2), nullptr);
  EXPECT_EQ(*map.Find(1), 3);
}

TEST(LruMapTest, ErasesEntries) {
  LruMap<std::string, int> map(1);
  map["a"] = 1;
  map.Erase("a");
  map.Erase("a");
  EXPECT_EQ(map.Find("a"), nullptr);
  EXPECT_EQ(map.size(), 0u);
  EXPECT_EQ(map["a"], 0);
}

TEST(LruMapTest, OneEntryIsEnough) {
  LruMap<int, int> map(1);
  for (int i = 0; i < 100; ++i) map[i] = i;
  EXPECT_EQ(map.size(), 1u);
  EXPECT_EQ(*map.Find(99), 99);
}

}  // namespace
}  // namespace entrepot
