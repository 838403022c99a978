#include "services/core/reference.h"

#include <string>

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

TEST(ReferenceTest, TextWithAColonIsADigest) {
  const std::string text = "sha256:" + std::string(64, 'a');
  ASSERT_OK_AND_ASSIGN(const Reference reference, ParseReference(text));
  EXPECT_TRUE(std::holds_alternative<Digest>(reference));
  EXPECT_EQ(ReferenceToString(reference), text);
  EXPECT_THAT(ParseReference("sha256:baddigeststring"), IsOciError(OciErrorCode::kDigestInvalid));
}

TEST(ReferenceTest, TextWithoutAColonIsATag) {
  ASSERT_OK_AND_ASSIGN(const Reference reference, ParseReference("sha256-abc"));
  EXPECT_TRUE(std::holds_alternative<Tag>(reference));
  EXPECT_EQ(ReferenceToString(reference), "sha256-abc");
  EXPECT_THAT(ParseReference(".hidden"), IsOciError(OciErrorCode::kTagInvalid));
}

}  // namespace
}  // namespace entrepot
