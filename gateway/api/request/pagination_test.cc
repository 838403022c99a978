#include "gateway/api/request/pagination.h"

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway::api {
namespace {

absl::StatusOr<PageRequest> Parse(absl::string_view query) {
  return ParsePageRequest(Query::Parse(query).value(), {.standard = 50, .max = 100});
}

TEST(ParsePageRequestTest, LimitsAPage) {
  EXPECT_EQ(Parse("").value().limit, 50u);
  EXPECT_EQ(Parse("n=7").value().limit, 7u);
  EXPECT_EQ(Parse("n=007").value().limit, 7u);
  EXPECT_EQ(Parse("n=101").value().limit, 100u);
  EXPECT_EQ(Parse("n=9223372036854775807").value().limit, 100u);
  EXPECT_EQ(Parse("last=a%20b").value().last, "a b");
  EXPECT_EQ(Parse("n=5").value().last, "");
}

TEST(ParsePageRequestTest, RequestsOneEntryFromTheBackendForALimitOfZero) {
  EXPECT_EQ(Parse("n=0").value().limit, 0u);
  EXPECT_EQ(Parse("n=0").value().backend_limit(), 1u);
  EXPECT_EQ(Parse("n=3").value().backend_limit(), 3u);
}

TEST(ParsePageRequestTest, RefusesOtherNumbers) {
  for (const char* query : {"n=-1", "n=abc", "n=", "n=1.5", "n=%201", "n=+1", "n=0x10", "n=10000000000000000000",
                            "n=9223372036854775808", "n=1&n=2", "last=a&last=b"}) {
    EXPECT_THAT(Parse(query), IsOciError(OciErrorCode::kPaginationNumberInvalid)) << query;
  }
}

TEST(NextPageLinkTest, EncodesItsParameters) {
  PageRequest page;
  page.limit = 2;
  EXPECT_EQ(NextPageLink("/v2/a/tags/list", page, "x"), "</v2/a/tags/list?n=2&last=x>; rel=\"next\"");
  EXPECT_EQ(NextPageLink("/v2/a/referrers/d", page, "sha256:1", {"artifactType", "a/b+c>\r\n"}),
            "</v2/a/referrers/d?n=2&last=sha256%3A1&artifactType=a%2Fb%2Bc%3E%0D%0A>; rel=\"next\"");
}

}  // namespace
}  // namespace entrepot::gateway::api
