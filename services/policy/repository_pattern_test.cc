#include "services/policy/repository_pattern.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::policy {
namespace {

using testing::HasSubstr;

struct MatchCase {
  std::string pattern;
  std::vector<std::string> matches;
  std::vector<std::string> others;
};

TEST(RepositoryPatternTest, Matches) {
  const MatchCase cases[] = {
      {"a", {"a"}, {"b", "ab", "a/b", "a-b"}},
      {"driftwood/web", {"driftwood/web"}, {"driftwood", "driftwood/web2", "driftwood/web/a", "x/driftwood/web"}},
      {"**", {"a", "a/b", "a/b/c"}, {""}},
      {"*", {"a", "a-b.c"}, {"a/b"}},
      {"driftwood/**", {"driftwood/web", "driftwood/a/b/c"}, {"driftwood", "driftwood-web", "driftwoods/web"}},
      {"driftwood/*", {"driftwood/web"}, {"driftwood", "driftwood/a/b"}},
      {"a*", {"a", "ab", "a-b"}, {"b", "a/b", "ba"}},
      {"*-web", {"a-web", "a-web-web"}, {"web", "a-webs", "a/b-web"}},
      {"**/web", {"a/web", "a/b/web"}, {"web", "a/web/b"}},
      {"a/**/b", {"a/x/b", "a/x/y/b", "a/b/b"}, {"a/b", "a/x", "a/x/b/c"}},
      {"a/*/b", {"a/x/b"}, {"a/b", "a/x/y/b"}},
      {"**/a*c/**", {"x/abc/y", "x/ac/y/z", "p/q/a.c/r"}, {"abc/y", "x/abc", "x/ab/c/y"}},
      {"*.*/team-*", {"docker.io/team-a"}, {"docker/team-a", "docker.io/team", "docker.io/x/team-a"}},
      {"**/**", {"a/b", "a/b/c"}, {"a"}},
  };
  for (const MatchCase& test : cases) {
    ASSERT_OK_AND_ASSIGN(const RepositoryPattern pattern, RepositoryPattern::Parse(test.pattern));
    EXPECT_EQ(pattern.ToString(), test.pattern);
    for (const std::string& name : test.matches) EXPECT_TRUE(pattern.Matches(name)) << test.pattern << " " << name;
    for (const std::string& name : test.others) EXPECT_FALSE(pattern.Matches(name)) << test.pattern << " " << name;
  }
}

TEST(RepositoryPatternTest, RefusesPatternsThatMatchNothing) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "it is empty"},
      {"A/b", "lower-case"},
      {"a//b", "two in a row"},
      {"/a", "begins or ends"},
      {"a/", "begins or ends"},
      {"a**", "put '/' around it"},
      {"**a/b", "put '/' around it"},
      {"a/***", "put '/' around it"},
      {"a..*", "separated by"},
      {"a/-*", "separated by"},
      {"*_", "separated by"},
      {"*___*", "separated by"},
      {"a b", "lower-case"},
      {"a/\xff", "lower-case"},
      {std::string("a\0b", 3), "lower-case"},
      {"../*", "separated by"},
      {std::string(256, 'a'), "longer than 255"},
  };
  for (const auto& [text, why] : cases) {
    const auto pattern = RepositoryPattern::Parse(text);
    EXPECT_THAT(pattern, StatusIs(absl::StatusCode::kInvalidArgument)) << text;
    EXPECT_THAT(std::string(pattern.status().message()), HasSubstr(why));
  }
}

TEST(RepositoryPatternTest, AllowsSeparatorsNextToAStar) {
  for (const std::string text : {"a.*", "*.b", "a__*", "a-*-b", "*--*", "*.*"}) {
    EXPECT_OK(RepositoryPattern::Parse(text)) << text;
  }
}

TEST(RepositoryPatternTest, LiteralPrefix) {
  const std::pair<std::string, std::string> cases[] = {
      {"a/b", "a/b"}, {"a/**", "a/"}, {"**", ""}, {"a*", "a"}, {"a/b*/c", "a/b"}};
  for (const auto& [text, prefix] : cases) {
    EXPECT_EQ(RepositoryPattern::Parse(text)->literal_prefix(), prefix);
  }
  EXPECT_TRUE(RepositoryPattern::Parse("a/**")->is_subtree());
  EXPECT_TRUE(RepositoryPattern::Parse("**")->is_subtree());
  for (const std::string text : {"a/*", "a/**/b", "**/b", "a", "*"}) {
    EXPECT_FALSE(RepositoryPattern::Parse(text)->is_subtree()) << text;
  }
}

// A simple and slow matcher, for comparison.
bool Matches(const std::vector<std::string>& pattern, size_t i, const std::vector<std::string>& name, size_t j);

bool SegmentMatches(const std::string& pattern, size_t i, const std::string& text, size_t j) {
  if (i == pattern.size()) return j == text.size();
  if (pattern[i] != '*') return j < text.size() && pattern[i] == text[j] && SegmentMatches(pattern, i + 1, text, j + 1);
  return SegmentMatches(pattern, i + 1, text, j) || (j < text.size() && SegmentMatches(pattern, i, text, j + 1));
}

bool Matches(const std::vector<std::string>& pattern, size_t i, const std::vector<std::string>& name, size_t j) {
  if (i == pattern.size()) return j == name.size();
  if (j == name.size()) return false;
  if (pattern[i] != "**") return SegmentMatches(pattern[i], 0, name[j], 0) && Matches(pattern, i + 1, name, j + 1);
  return Matches(pattern, i + 1, name, j + 1) || Matches(pattern, i, name, j + 1);
}

TEST(RepositoryPatternTest, MatchesLikeASimpleMatcher) {
  const std::vector<std::string> pattern_segments = {"a", "*", "**", "a*", "*b", "a*b"};
  const std::vector<std::string> name_segments = {"a", "b", "ab", "aab"};
  std::vector<std::string> patterns = pattern_segments;
  std::vector<std::string> names = name_segments;
  for (size_t begin = 0, depth = 1; depth < 3; ++depth) {
    const size_t end = patterns.size();
    for (size_t i = begin; i < end; ++i) {
      for (const std::string& segment : pattern_segments) patterns.push_back(absl::StrCat(patterns[i], "/", segment));
    }
    begin = end;
  }
  for (size_t begin = 0, depth = 1; depth < 4; ++depth) {
    const size_t end = names.size();
    for (size_t i = begin; i < end; ++i) {
      for (const std::string& segment : name_segments) names.push_back(absl::StrCat(names[i], "/", segment));
    }
    begin = end;
  }
  int matches = 0;
  for (const std::string& text : patterns) {
    ASSERT_OK_AND_ASSIGN(const RepositoryPattern pattern, RepositoryPattern::Parse(text));
    for (const std::string& name : names) {
      const bool expected = Matches(absl::StrSplit(text, '/'), 0, absl::StrSplit(name, '/'), 0);
      matches += expected ? 1 : 0;
      ASSERT_EQ(pattern.Matches(name), expected) << text << " " << name;
    }
  }
  EXPECT_GT(matches, 1000);
}

TEST(RepositoryPatternTest, IsFastForHostilePatterns) {
  std::string text = "*";
  while (text.size() < 250) text += "a*";
  ASSERT_OK_AND_ASSIGN(const RepositoryPattern pattern, RepositoryPattern::Parse(text));
  const std::string name(254, 'a');
  // A matcher that backtracks would need longer than the age of the universe.
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(pattern.Matches(absl::StrCat(name, "/")));
}

}  // namespace
}  // namespace entrepot::policy
