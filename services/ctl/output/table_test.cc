#include "services/ctl/output/table.h"

#include "gtest/gtest.h"

namespace entrepot::ctl {
namespace {

TEST(TableTest, ColumnsAreAsWideAsTheirWidestCell) {
  Table table({"NAME", "GROUPS", "LAST USED"});
  table.Add({"administrator", "", "never"});
  table.Add({"ci", "builders, deployers", "2026-11-24 15:00"});
  EXPECT_EQ(table.ToString(),
            "NAME           GROUPS               LAST USED\n"
            "administrator  -                    never\n"
            "ci             builders, deployers  2026-11-24 15:00\n");
}

TEST(TableTest, MeasuresCharactersNotBytes) {
  Table table({"A", "B"});
  table.Add({"é", "x"});
  table.Add({"ab", "x"});
  EXPECT_EQ(table.ToString(), "A   B\né   x\nab  x\n");
}

TEST(TableTest, ReplacesControlCharacters) {
  Table table({"A"});
  table.Add({"\x1b[2J\nx"});
  EXPECT_EQ(table.ToString(), "A\n?[2J?x\n");
}

TEST(TableTest, IsTheHeaderAloneWithoutRows) { EXPECT_EQ(Table({"A", "B"}).ToString(), "A  B\n"); }

}  // namespace
}  // namespace entrepot::ctl
