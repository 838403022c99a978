#include "services/status/quoted_input.h"

#include <string>

#include "gtest/gtest.h"

namespace entrepot {
namespace {

TEST(QuotedInputTest, QuotesPlainText) {
  EXPECT_EQ(QuotedInput("library/nginx"), R"("library/nginx")");
  EXPECT_EQ(QuotedInput(""), R"("")");
}

TEST(QuotedInputTest, EscapesControlCharactersAndQuotes) {
  EXPECT_EQ(QuotedInput("a\"b\r\nc"), R"("a\"b\r\nc")");
  EXPECT_EQ(QuotedInput(absl::string_view("\0\xff", 2)), R"("\x00\xff")");
}

TEST(QuotedInputTest, CutsLongText) {
  EXPECT_EQ(QuotedInput(std::string(64, 'x')), "\"" + std::string(64, 'x') + "\"");
  EXPECT_EQ(QuotedInput(std::string(65, 'x')), "\"" + std::string(64, 'x') + "...\"");
}

}  // namespace
}  // namespace entrepot
