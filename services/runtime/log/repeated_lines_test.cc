#include "services/runtime/log/repeated_lines.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RepeatedLinesTest : public testing::Test {
 protected:
  bool Admit(absl::string_view key, const std::string& line = "line") {
    return lines_.Admit(key, now_, [&] { return line; });
  }
  std::vector<std::string> Due() {
    std::vector<std::string> texts;
    for (const RepeatedLines::Due& due : lines_.TakeDue(now_)) {
      texts.push_back(absl::StrCat(due.line, " ", due.count, due.mixed ? " mixed" : ""));
    }
    return texts;
  }

  RepeatedLines lines_{3};
  RepeatedLines::Time now_{seconds(1000)};
};

TEST_F(RepeatedLinesTest, WritesTheFirstAndCountsTheOthers) {
  EXPECT_TRUE(Admit("a", "1"));
  EXPECT_FALSE(Admit("a", "2"));
  EXPECT_FALSE(Admit("a", "3"));
  EXPECT_TRUE(Admit("b", "4"));
  now_ += milliseconds(999);
  EXPECT_THAT(Due(), IsEmpty());
  now_ += milliseconds(1);
  EXPECT_EQ(lines_.NextEnd(), now_);
  EXPECT_THAT(Due(), ElementsAre("2 2"));
}

TEST_F(RepeatedLinesTest, ALineWithACountBeginsTheNextInterval) {
  EXPECT_TRUE(Admit("a"));
  EXPECT_FALSE(Admit("a"));
  now_ += seconds(1);
  EXPECT_THAT(Due(), ElementsAre("line 1"));
  EXPECT_FALSE(Admit("a", "next")) << "one line in a second";
  now_ += seconds(1);
  EXPECT_THAT(Due(), ElementsAre("next 1"));
  now_ += seconds(1);
  EXPECT_THAT(Due(), IsEmpty());
  EXPECT_EQ(lines_.NextEnd(), std::nullopt);
  EXPECT_TRUE(Admit("a"));
}

TEST_F(RepeatedLinesTest, AKeyMayHaveALongerInterval) {
  const auto rare = [&] {
    return lines_.Admit(
        "rare", now_, [] { return "rare"; }, std::chrono::minutes(1));
  };
  EXPECT_TRUE(rare());
  EXPECT_TRUE(Admit("a"));
  EXPECT_EQ(lines_.NextEnd(), now_ + seconds(1));
  now_ += seconds(59);
  EXPECT_THAT(Due(), IsEmpty());
  EXPECT_FALSE(rare());
  EXPECT_TRUE(Admit("a"));
  now_ += seconds(1);
  EXPECT_THAT(Due(), ElementsAre("rare 1"));
  EXPECT_EQ(lines_.NextEnd(), now_ + seconds(60));
}

TEST_F(RepeatedLinesTest, FurtherKeysShareOneLine) {
  for (const char* key : {"a", "b", "c"}) EXPECT_TRUE(Admit(key));
  EXPECT_TRUE(Admit("d", "d"));
  EXPECT_FALSE(Admit("e", "e"));
  EXPECT_FALSE(Admit("f", "f"));
  EXPECT_FALSE(Admit("a", "a"));
  now_ += seconds(1);
  EXPECT_THAT(Due(), ElementsAre("a 1", "e 2 mixed"));
  now_ += seconds(1);
  EXPECT_THAT(Due(), IsEmpty());
  EXPECT_TRUE(Admit("d"));
}

TEST_F(RepeatedLinesTest, GivesAllCountsAtTheEnd) {
  EXPECT_TRUE(Admit("a"));
  EXPECT_FALSE(Admit("a"));
  EXPECT_TRUE(Admit("b"));
  const std::vector<RepeatedLines::Due> due = lines_.TakeAll();
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].count, 1u);
  EXPECT_EQ(lines_.NextEnd(), std::nullopt);
  EXPECT_TRUE(Admit("a"));
}

TEST_F(RepeatedLinesTest, CountsEveryLineOnce) {
  uint64_t written = 0, counted = 0;
  for (int i = 0; i < 10'000; ++i) {
    written += Admit(absl::StrCat("key ", i % 7)) ? 1 : 0;
    now_ += milliseconds(i % 13);
    for (const RepeatedLines::Due& due : lines_.TakeDue(now_)) counted += due.count;
  }
  now_ += seconds(1);
  for (const RepeatedLines::Due& due : lines_.TakeDue(now_)) counted += due.count;
  EXPECT_EQ(written + counted, 10'000u);
}

}  // namespace
}  // namespace entrepot::runtime
