#include "services/token/base64url.h"

#include <string>

#include "gtest/gtest.h"

namespace entrepot::token {
namespace {

TEST(Base64UrlTest, EncodesWithoutPadding) {
  EXPECT_EQ(EncodeBase64Url(""), "");
  EXPECT_EQ(EncodeBase64Url("f"), "Zg");
  EXPECT_EQ(EncodeBase64Url("fo"), "Zm8");
  EXPECT_EQ(EncodeBase64Url("foo"), "Zm9v");
  EXPECT_EQ(EncodeBase64Url("\xFB\xEF\xFF"), "--__");
}

TEST(Base64UrlTest, DecodesWhatItEncodes) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    bytes.push_back(static_cast<char>(i));
    EXPECT_EQ(DecodeBase64Url(EncodeBase64Url(bytes)), bytes) << i;
  }
  EXPECT_EQ(DecodeBase64Url(""), "");
}

TEST(Base64UrlTest, AcceptsOneSpellingOnly) {
  for (const std::string text : {"Zg==", "Zg=", "Z", "Zm9vZ", "Zh", "Zm9", "+/+/", "Zm 9v", "Zm9v\n", " Zm9v",
                                 "Zm9v=", "Zm9v====", "Zg.", "Zm9\xC3\xA9", "="}) {
    EXPECT_EQ(DecodeBase64Url(text), std::nullopt) << text;
  }
  EXPECT_EQ(DecodeBase64Url(std::string("Zm\0v", 4)), std::nullopt);
}

}  // namespace
}  // namespace entrepot::token
