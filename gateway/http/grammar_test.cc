#include "gateway/http/grammar.h"

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

}  // namespace
}  // namespace entrepot::gateway::http
