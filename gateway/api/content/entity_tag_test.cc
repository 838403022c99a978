#include "gateway/api/content/entity_tag.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace entrepot::gateway::api {
namespace {

TEST(EntityTagTest, IsTheQuotedDigest) {
  const Digest digest = Digest::FromBytes(DigestAlgorithm::kSha256, std::string(32, '\x11'));
  EXPECT_EQ(EntityTag(digest), absl::StrCat("\"", digest.ToString(), "\""));
}

http::Request RequestWith(absl::string_view name, absl::string_view value) {
  http::Request request;
  request.fields.push_back({name, value});
  return request;
}

TEST(ParsePreconditionsTest, ARequestWithoutTheFieldsHasNone) {
  EXPECT_TRUE(ParsePreconditions(RequestWith("Accept", "*")).empty());
}

TEST(ParsePreconditionsTest, ReadsEveryFormOfATag) {
  const Digest digest = Digest::FromBytes(DigestAlgorithm::kSha256, std::string(32, '\x11'));
  const std::string text = digest.ToString();
  for (const std::string& value :
       {text, "\"" + text + "\"", std::string("*"), "\"other\", \"" + text + "\"", "  " + text + "  "}) {
    EXPECT_TRUE(ParsePreconditions(RequestWith("if-match", value)).if_match->Match(digest)) << value;
    EXPECT_TRUE(ParsePreconditions(RequestWith("If-None-Match", value)).if_none_match->Match(digest)) << value;
  }
}

TEST(ParsePreconditionsTest, AWeakTagMatchesInIfNoneMatchOnly) {
  const Digest digest = Digest::FromBytes(DigestAlgorithm::kSha256, std::string(32, '\x11'));
  const std::string weak = "W/\"" + digest.ToString() + "\"";
  EXPECT_FALSE(ParsePreconditions(RequestWith("If-Match", weak)).if_match->Match(digest));
  EXPECT_TRUE(ParsePreconditions(RequestWith("If-None-Match", weak)).if_none_match->Match(digest));
}

TEST(ParsePreconditionsTest, SeveralFieldsAreOneList) {
  const Digest digest = Digest::FromBytes(DigestAlgorithm::kSha256, std::string(32, '\x11'));
  http::Request request = RequestWith("If-Match", "\"other\"");
  const std::string tag = EntityTag(digest);
  request.fields.push_back({"If-Match", tag});
  EXPECT_TRUE(ParsePreconditions(request).if_match->Match(digest));
}

TEST(ParsePreconditionsTest, OtherTagsMatchNothing) {
  const Digest digest = Digest::FromBytes(DigestAlgorithm::kSha256, std::string(32, '\x11'));
  const std::string text = digest.ToString();
  for (const std::string& value :
       {std::string(), std::string("\"\""), "\"" + text, text + "0", std::string("sha256:11"), std::string(",")}) {
    EXPECT_FALSE(ParsePreconditions(RequestWith("If-None-Match", value)).if_none_match->Match(digest)) << value;
  }
}

}  // namespace
}  // namespace entrepot::gateway::api
