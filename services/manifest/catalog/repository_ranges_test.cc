#include "services/manifest/catalog/repository_ranges.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::manifest {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<RepositoryRange> Of(const std::vector<std::string>& patterns) {
  std::vector<policy::RepositoryPattern> parsed;
  for (const std::string& pattern : patterns) parsed.push_back(policy::RepositoryPattern::Parse(pattern).value());
  return RangesOf(parsed);
}

TEST(RepositoryRangesTest, AreSortedAndDisjoint) {
  EXPECT_THAT(Of({}), IsEmpty());
  EXPECT_THAT(Of({"b", "a"}), ElementsAre(RepositoryRange{"a", false}, RepositoryRange{"b", false}));
  EXPECT_THAT(Of({"a/b", "a/**", "a/b"}), ElementsAre(RepositoryRange{"a/", true}));
  EXPECT_THAT(Of({"a", "a/**"}), ElementsAre(RepositoryRange{"a", false}, RepositoryRange{"a/", true}));
  EXPECT_THAT(Of({"a", "a*"}), ElementsAre(RepositoryRange{"a", true}));
  EXPECT_THAT(Of({"a/b/**", "a/**", "z", "a-b/*"}),
              ElementsAre(RepositoryRange{"a-b/", true}, RepositoryRange{"a/", true}, RepositoryRange{"z", false}));
  EXPECT_THAT(Of({"a/**", "z", "*/web"}), ElementsAre(RepositoryRange{"", true}));
}

TEST(RepositoryRangesTest, MergesEqualRanges) {
  EXPECT_THAT(Of({"a", "b", "a"}), ElementsAre(RepositoryRange{"a", false}, RepositoryRange{"b", false}));
}

}  // namespace
}  // namespace entrepot::manifest
