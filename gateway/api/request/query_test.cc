#include "gateway/api/request/query.h"

#include <string>

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway::api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(QueryTest, FindsValues) {
  ASSERT_OK_AND_ASSIGN(const Query query, Query::Parse("digest=sha256%3A12&tag=a&tag=b&empty=&flag&x=1=2&"));
  EXPECT_EQ(query.Single("digest", OciErrorCode::kDigestInvalid).value(), "sha256:12");
  EXPECT_EQ(query.Single("empty", OciErrorCode::kUnknown).value(), "");
  EXPECT_EQ(query.Single("flag", OciErrorCode::kUnknown).value(), "");
  EXPECT_EQ(query.Single("x", OciErrorCode::kUnknown).value(), "1=2");
  EXPECT_EQ(query.Single("absent", OciErrorCode::kUnknown).value(), std::nullopt);
  EXPECT_THAT(query.All("tag"), ElementsAre("a", "b"));
  EXPECT_THAT(query.All("absent"), IsEmpty());
  EXPECT_TRUE(query.Has("flag"));
  EXPECT_FALSE(query.Has("absent"));
}

TEST(QueryTest, KeepsPlusSigns) {
  ASSERT_OK_AND_ASSIGN(const Query query, Query::Parse("artifactType=application/vnd.x+json"));
  EXPECT_EQ(query.Single("artifactType", OciErrorCode::kUnknown).value(), "application/vnd.x+json");
}

TEST(QueryTest, RefusesAnAmbiguousValue) {
  ASSERT_OK_AND_ASSIGN(const Query query, Query::Parse("digest=a&digest=a&%64igest=b"));
  EXPECT_THAT(query.Single("digest", OciErrorCode::kDigestInvalid), IsOciError(OciErrorCode::kDigestInvalid));
}

TEST(QueryTest, RefusesInvalidText) {
  for (const char* text : {"digest=%", "%zz=1", "last=%ff", "last=\xc0\xaf"}) {
    EXPECT_THAT(Query::Parse(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

}  // namespace
}  // namespace entrepot::gateway::api
