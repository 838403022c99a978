#include "services/core/text/percent_encoding.h"

#include <string>

#include "gtest/gtest.h"

namespace entrepot {
namespace {

TEST(PercentDecodeTest, DecodesOnce) {
  EXPECT_EQ(PercentDecode("a%2Fb%2fc"), "a/b/c");
  EXPECT_EQ(PercentDecode("%252F"), "%2F");
  EXPECT_EQ(PercentDecode("a+b"), "a+b");
  EXPECT_EQ(PercentDecode(""), "");
  EXPECT_EQ(PercentDecode("%00"), std::string(1, '\0'));
}

TEST(PercentDecodeTest, RefusesInvalidEncodings) {
  for (const char* text : {"%", "a%", "%2", "%2g", "%g2", "%%20"}) EXPECT_EQ(PercentDecode(text), std::nullopt) << text;
}

TEST(PercentEncodeTest, KeepsOnlyUnreservedCharacters) {
  EXPECT_EQ(PercentEncode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(PercentEncode("a b&c=\r\n\xff"), "a%20b%26c%3D%0D%0A%FF");
}

TEST(PercentEncodeTest, IsReversedByDecoding) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  EXPECT_EQ(PercentDecode(PercentEncode(all)), all);
}

}  // namespace
}  // namespace entrepot
