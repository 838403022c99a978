#include "services/upstream/client/next_page.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::upstream {
namespace {

const std::string kUrl = "https://r.example:5000/v2/a/tags/list?n=2";

absl::StatusOr<std::optional<std::string>> Next(const std::string& link) {
  return NextPage({.status = 200, .fields = {{"content-type", "application/json"}, {"link", link}}}, kUrl);
}

TEST(NextPageTest, ResolvesRelativeLinks) {
  EXPECT_THAT(Next("</v2/a/tags/list?n=2&last=b>; rel=\"next\""),
              IsOkAndHolds("https://r.example:5000/v2/a/tags/list?n=2&last=b"));
  EXPECT_THAT(Next("<?last=b>;rel=next"), IsOkAndHolds("https://r.example:5000/v2/a/tags/list?last=b"));
}

TEST(NextPageTest, TakesAbsoluteLinksOfTheSameHost) {
  EXPECT_THAT(Next("<https://r.example:5000/v2/a/tags/list?last=b>; rel=\"next\""),
              IsOkAndHolds("https://r.example:5000/v2/a/tags/list?last=b"));
  EXPECT_THAT(Next("<http://r.example/v2/a/tags/list?last=b>; rel=\"next\""),
              IsOkAndHolds("https://r.example:5000/v2/a/tags/list?last=b"));
}

TEST(NextPageTest, RefusesOtherHosts) {
  for (const char* link : {"<https://evil.example/v2/a/tags/list?last=b>; rel=\"next\"", "<//evil.example/>; rel=next",
                           "<https://r.example@evil.example/>; rel=next", "<https://>; rel=next"}) {
    EXPECT_THAT(Next(link), StatusIs(absl::StatusCode::kInvalidArgument)) << link;
  }
}

TEST(NextPageTest, FindsTheNextAmongOthers) {
  EXPECT_THAT(Next("</first>; rel=\"first\", </next>; title=\"a\" ; REL = \"Next\", </last>; rel=\"last\""),
              IsOkAndHolds("https://r.example:5000/next"));
}

TEST(NextPageTest, HasNoneWithoutSuchALink) {
  EXPECT_THAT(NextPage({.status = 200, .fields = {}}, kUrl), IsOkAndHolds(std::nullopt));
  for (const char* link : {"", "</a>", "</a>; rel=\"prev\"", "</a; rel=\"next\"", "</a>; rel=nextish", "rel=next"}) {
    EXPECT_THAT(Next(link), IsOkAndHolds(std::nullopt)) << link;
  }
}

}  // namespace
}  // namespace entrepot::upstream
