#include "services/core/text/glob.h"

#include <functional>
#include <string>

#include "gtest/gtest.h"

namespace entrepot {
namespace {

TEST(GlobTest, MatchesTheWholeText) {
  EXPECT_TRUE(GlobMatches("", ""));
  EXPECT_FALSE(GlobMatches("", "a"));
  EXPECT_TRUE(GlobMatches("abc", "abc"));
  EXPECT_FALSE(GlobMatches("abc", "abcd"));
  EXPECT_FALSE(GlobMatches("abc", "ab"));
  EXPECT_TRUE(GlobMatches("*", ""));
  EXPECT_TRUE(GlobMatches("*", "a/b\n*"));
  EXPECT_TRUE(GlobMatches("release-*", "release-"));
  EXPECT_TRUE(GlobMatches("release-*", "release-1.2"));
  EXPECT_FALSE(GlobMatches("release-*", "prerelease-1"));
  EXPECT_TRUE(GlobMatches("*-rc*.1", "2-rc4.1"));
  EXPECT_FALSE(GlobMatches("*-rc*.1", "2-rc4.12"));
  EXPECT_TRUE(GlobMatches("a**b", "ab"));
  EXPECT_TRUE(GlobMatches("a?[b]\\.", "a?[b]\\."));
  EXPECT_FALSE(GlobMatches("a?", "ab"));
}

TEST(GlobTest, MatchesEachByteOnce) {
  EXPECT_FALSE(GlobMatches("aba*aba", "aba"));
  EXPECT_FALSE(GlobMatches("aba*aba", "ababa"));
  EXPECT_TRUE(GlobMatches("aba*aba", "abaaba"));
  EXPECT_FALSE(GlobMatches("*ab*ab*", "aab"));
}

// The definition in the header, by trying every split.
bool MatchesByDefinition(absl::string_view pattern, absl::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() != '*') {
    return !text.empty() && text.front() == pattern.front() && MatchesByDefinition(pattern.substr(1), text.substr(1));
  }
  for (size_t taken = 0; taken <= text.size(); ++taken) {
    if (MatchesByDefinition(pattern.substr(1), text.substr(taken))) return true;
  }
  return false;
}

void ForEachWord(absl::string_view alphabet, size_t length, const std::function<void(const std::string&)>& visit,
                 std::string word = "") {
  visit(word);
  if (word.size() == length) return;
  for (const char letter : alphabet) ForEachWord(alphabet, length, visit, word + letter);
}

TEST(GlobTest, AgreesWithTheDefinitionForAllShortWords) {
  size_t matches = 0;
  ForEachWord("ab*", 5, [&](const std::string& pattern) {
    ForEachWord("ab", 5, [&](const std::string& text) {
      const bool expected = MatchesByDefinition(pattern, text);
      ASSERT_EQ(GlobMatches(pattern, text), expected) << pattern << " on " << text;
      matches += expected ? 1 : 0;
    });
  });
  EXPECT_GT(matches, 1000u);
}

TEST(GlobTest, TakesLinearTimeForHostilePatterns) {
  const std::string text(1'000'000, 'a');
  std::string pattern;
  for (int i = 0; i < 1000; ++i) pattern += "*" + std::string(500, 'a');
  EXPECT_FALSE(GlobMatches(pattern + "*b", text));
  EXPECT_FALSE(GlobMatches("*" + std::string(500'000, 'a') + "b*", text));
}

}  // namespace
}  // namespace entrepot
