#include "services/core/digest.h"

#include <string>

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

const std::string kHex256(64, 'a');
const std::string kHex512(128, '0');

TEST(DigestTest, ParsesBothAlgorithms) {
  ASSERT_OK_AND_ASSIGN(const Digest sha256, Digest::Parse("sha256:" + kHex256));
  EXPECT_EQ(sha256.algorithm(), DigestAlgorithm::kSha256);
  EXPECT_EQ(sha256.hex(), kHex256);
  EXPECT_EQ(sha256.ToString(), "sha256:" + kHex256);
  ASSERT_OK_AND_ASSIGN(const Digest sha512, Digest::Parse("sha512:" + kHex512));
  EXPECT_EQ(sha512.algorithm(), DigestAlgorithm::kSha512);
  EXPECT_EQ(sha512.hex(), kHex512);
}

TEST(DigestTest, RefusesEverythingElse) {
  const std::string bad[] = {
      "",
      ":",
      "sha256",
      "sha256:",
      kHex256,
      "sha256:" + kHex256.substr(1),
      "sha256:" + kHex256 + "a",
      "sha256:" + kHex512,
      "sha512:" + kHex256,
      "SHA256:" + kHex256,
      "sha256:" + std::string(64, 'A'),
      "sha256:" + std::string(64, 'g'),
      "sha384:" + std::string(96, 'a'),
      "md5:" + std::string(32, 'a'),
      " sha256:" + kHex256,
      "sha256:" + kHex256.substr(1) + " ",
      "sha256:/../" + kHex256.substr(4),
      "sha256:baddigeststring",
      "sha256:" + kHex256.substr(1) + std::string(1, '\0'),
  };
  for (const std::string& text : bad) {
    EXPECT_THAT(Digest::Parse(text), IsOciError(OciErrorCode::kDigestInvalid)) << text;
  }
}

TEST(DigestTest, MessageContainsTheReason) {
  EXPECT_EQ(Digest::Parse("md5:00").status().message(),
            R"(the digest algorithm "md5" is not one of sha256 and sha512)");
  EXPECT_EQ(Digest::Parse("sha256:0\n").status().message(),
            R"(the digest "sha256:0\n" does not have exactly 64 lower-case hex digits behind its algorithm)");
}

TEST(DigestTest, FromBytesIsCanonical) {
  const Digest digest = Digest::FromBytes(DigestAlgorithm::kSha256, std::string(32, '\xab'));
  EXPECT_THAT(Digest::Parse(digest.ToString()), IsOkAndHolds(digest));
  EXPECT_EQ(digest.hex().substr(0, 4), "abab");
}

TEST(DigestDeathTest, FromBytesRequiresTheAlgorithmsSize) {
  EXPECT_DEATH(Digest::FromBytes(DigestAlgorithm::kSha512, std::string(32, 'x')), "");
}

TEST(DigestTest, ComparesByText) {
  ASSERT_OK_AND_ASSIGN(const Digest a, Digest::Parse("sha256:" + std::string(64, 'a')));
  ASSERT_OK_AND_ASSIGN(const Digest b, Digest::Parse("sha256:" + std::string(64, 'b')));
  EXPECT_EQ(a, a);
  EXPECT_FALSE(a == b);
  EXPECT_LT(a, b);
  EXPECT_FALSE(b < a);
}

TEST(DigestAlgorithmTest, NamesParseBack) {
  for (DigestAlgorithm algorithm : {DigestAlgorithm::kSha256, DigestAlgorithm::kSha512}) {
    EXPECT_THAT(ParseDigestAlgorithm(DigestAlgorithmName(algorithm)), IsOkAndHolds(algorithm));
  }
  EXPECT_THAT(ParseDigestAlgorithm("sha1"), IsOciError(OciErrorCode::kDigestInvalid));
}

}  // namespace
}  // namespace entrepot
