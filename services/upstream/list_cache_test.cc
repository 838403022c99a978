#include "services/upstream/list_cache.h"

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace entrepot::upstream {
namespace {

using List = std::vector<std::string>;

ListCache<List>::Entry Entry(const std::string& of) {
  return {.list = std::make_shared<const List>(List{of}), .at = absl::FromUnixSeconds(1)};
}

TEST(ListCacheTest, KeepsTheListsThatWereUsedLast) {
  ListCache<List> lists(10);
  lists.Put("a", Entry("1"), 4);
  lists.Put("b", Entry("2"), 4);
  ASSERT_TRUE(lists.Find("a").has_value());
  lists.Put("c", Entry("3"), 4);
  EXPECT_FALSE(lists.Find("b").has_value());
  EXPECT_EQ(lists.Find("a")->list->front(), "1");
  EXPECT_EQ(lists.Find("c")->list->front(), "3");
  EXPECT_EQ(lists.Find("c")->at, absl::FromUnixSeconds(1));
}

TEST(ListCacheTest, ReplacesAListAndItsBytes) {
  ListCache<List> lists(10);
  lists.Put("a", Entry("1"), 6);
  lists.Put("a", Entry("2"), 6);
  lists.Put("b", Entry("3"), 4);
  EXPECT_EQ(lists.Find("a")->list->front(), "2");
  EXPECT_TRUE(lists.Find("b").has_value());
}

TEST(ListCacheTest, DoesNotKeepAListThatIsTooLarge) {
  ListCache<List> lists(10);
  lists.Put("a", Entry("1"), 5);
  lists.Put("b", Entry("2"), 11);
  EXPECT_FALSE(lists.Find("b").has_value());
  EXPECT_TRUE(lists.Find("a").has_value());
  // Nor the one that it replaces.
  lists.Put("a", Entry("3"), 11);
  EXPECT_FALSE(lists.Find("a").has_value());
}

}  // namespace
}  // namespace entrepot::upstream
