#include "gateway/api/content/entity_tag.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace entrepot::gateway::api {
namespace {

TEST(EntityTagTest, IsTheQuotedDigest) {
  const Digest digest = Digest::FromBytes(DigestAlgorithm::kSha256, std::string(32, '\x11'));
  EXPECT_EQ(EntityTag(digest), absl::StrCat("\"", digest.ToString(), "\""));
}

TEST(MatchesEntityTagTest, MatchesEveryFormOfTheTag) {
  const Digest digest = Digest::FromBytes(DigestAlgorithm::kSha256, std::string(32, '\x11'));
  const std::string text = digest.ToString();
  for (const std::string& header : {text, "\"" + text + "\"", "W/\"" + text + "\"", std::string("*"),
                                    "\"other\", \"" + text + "\"", "  " + text + "  "}) {
    EXPECT_TRUE(MatchesEntityTag(header, digest)) << header;
  }
}

TEST(MatchesEntityTagTest, DoesNotMatchOtherTags) {
  const Digest digest = Digest::FromBytes(DigestAlgorithm::kSha256, std::string(32, '\x11'));
  const std::string text = digest.ToString();
  for (const std::string& header :
       {std::string(), std::string("\"\""), "\"" + text, text + "0", std::string("sha256:11"), std::string(",")}) {
    EXPECT_FALSE(MatchesEntityTag(header, digest)) << header;
  }
}

}  // namespace
}  // namespace entrepot::gateway::api
