#include "gateway/http/http1/grammar.h"

#include <string>

#include "gtest/gtest.h"

namespace entrepot::gateway::http {
namespace {

TEST(GrammarTest, Tokens) {
  EXPECT_TRUE(IsToken("Content-Type"));
  EXPECT_TRUE(IsToken("!#$%&'*+-.^_`|~09azAZ"));
  EXPECT_FALSE(IsToken(""));
  for (const char c : {' ', '\t', ':',  '(', ')', ',', '/', ';',  '<',    '=',    '>',   '?',
                       '@', '[',  '\\', ']', '{', '}', '"', '\0', '\x7f', '\x80', '\xff'}) {
    EXPECT_FALSE(IsToken(std::string(1, c))) << static_cast<int>(c);
  }
}

TEST(GrammarTest, ControlBytes) {
  EXPECT_TRUE(IsControl('\0'));
  EXPECT_TRUE(IsControl('\r'));
  EXPECT_TRUE(IsControl('\n'));
  EXPECT_TRUE(IsControl('\x7f'));
  EXPECT_FALSE(IsControl('\t'));
  EXPECT_FALSE(IsControl(' '));
  EXPECT_FALSE(IsControl('\xff'));
}

TEST(GrammarTest, Authorities) {
  for (const char* good :
       {"r", "r:5000", "r:", "127.0.0.1:1", "a_b-c.d", "[::1]", "[fe80::1]:65535", "a%2fb", "r:00080"}) {
    EXPECT_TRUE(IsAuthority(good)) << good;
  }
  for (const char* bad : {"", ":80", "r:65536", "r:-1", "r:8o", "r:123456", "a b", "a/b", "a@b", "a:b:c", "[::1", "[]",
                          "[r]", "[::1]x", "::1", "a%2", "a%zz", "\xc3\xa4"}) {
    EXPECT_FALSE(IsAuthority(bad)) << bad;
  }
}

TEST(GrammarTest, Trimming) {
  EXPECT_EQ(TrimBlanks(" \ta b\t "), "a b");
  EXPECT_EQ(TrimBlanks(" \t"), "");
  EXPECT_EQ(TrimBlanks(""), "");
}

TEST(FindControlTest, FindsTheFirstControlByteAtAnyPosition) {
  EXPECT_EQ(FindControl("", 0), 0u);
  for (int c = 0; c < 256; ++c) {
    for (size_t at = 0; at < 20; ++at) {
      std::string text(20, 'x');
      text[at] = static_cast<char>(c);
      const bool is_control = IsControl(static_cast<char>(c));
      EXPECT_EQ(FindControl(text, 0), is_control ? at : text.size()) << c << " at " << at;
      EXPECT_EQ(FindControl(text, at), is_control ? at : text.size()) << c << " at " << at;
      EXPECT_EQ(FindControl(text, at + 1), text.size()) << c << " at " << at;
    }
  }
  EXPECT_EQ(FindControl("\t\t\t\t\t\t\t\t\t\xff\x80 \r\n", 0), 12u);
}

}  // namespace
}  // namespace entrepot::gateway::http
