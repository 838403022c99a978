#include "services/core/text/utf8.h"

#include <string>

#include "gtest/gtest.h"

namespace entrepot {
namespace {

TEST(Utf8Test, AcceptsEveryLength) {
  for (absl::string_view text : {"", "plain", "\x7f", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
                                 "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(Utf8PrefixLength(text), text.size()) << text;
  }
}

TEST(Utf8Test, StopsBeforeInvalidBytes) {
  for (absl::string_view bad : {
           "\x80",              // A continuation alone.
           "\xBF",              //
           "\xC0\x80",          // Overlong forms.
           "\xC1\xBF",          //
           "\xE0\x9F\xBF",      //
           "\xF0\x8F\xBF\xBF",  //
           "\xED\xA0\x80",      // A surrogate.
           "\xF4\x90\x80\x80",  // Beyond U+10FFFF.
           "\xF5\x80\x80\x80",  //
           "\xFF",              //
           "\xC3",              // Cut off.
           "\xE2\x82",          //
           "\xF0\x9F\x98",      //
           "\xC3\x28",          // Something else follows.
           "\xE2\x82\x28",      //
           "\xF0\x9F\x98\x28",  //
       }) {
    EXPECT_EQ(Utf8PrefixLength("ab" + std::string(bad)), 2u) << testing::PrintToString(bad);
    EXPECT_EQ(Utf8PrefixLength("\xC3\xA9" + std::string(bad) + "ab"), 2u) << testing::PrintToString(bad);
  }
}

}  // namespace
}  // namespace entrepot
