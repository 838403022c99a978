#include "services/outbound/url.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::outbound {
namespace {

TEST(UrlTest, HasTheParts) {
  ASSERT_OK_AND_ASSIGN(const Url url, ParseUrl("HTTPS://Registry.Example:5000/a/b"));
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.host, "registry.example");
  EXPECT_EQ(url.port, "5000");
  EXPECT_EQ(url.path, "/a/b");
  EXPECT_FALSE(url.has_more);
  ASSERT_OK_AND_ASSIGN(const Url short_url, ParseUrl("http://r"));
  EXPECT_EQ(short_url.port, "");
  EXPECT_EQ(short_url.path, "/");
}

TEST(UrlTest, NoticesWhatBelongsToNoAddress) {
  for (const char* text : {"http://user@r", "http://user:secret@r", "http://r/?a=b", "http://r/#a"}) {
    ASSERT_OK_AND_ASSIGN(const Url url, ParseUrl(text));
    EXPECT_TRUE(url.has_more) << text;
    EXPECT_EQ(url.host, "r") << text;
  }
}

TEST(UrlTest, RefusesOtherText) {
  for (const char* text : {"", "r.example", "/a", "http://", "http://a b", "http://r:port", "http://r:70000", "://r"}) {
    EXPECT_THAT(ParseUrl(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

TEST(UrlTest, KnowsWhichHostsAreThisMachine) {
  for (const char* text : {"http://localhost", "http://LOCALHOST:5000", "http://a.localhost", "http://127.0.0.1",
                           "http://127.1.2.3:80", "http://[::1]:5000"}) {
    ASSERT_OK_AND_ASSIGN(const Url url, ParseUrl(text));
    EXPECT_TRUE(url.IsLoopback()) << text;
  }
  for (const char* text : {"http://localhost.evil.example", "http://127.0.0.1.evil.example", "http://127.evil.example",
                           "http://localhost@evil.example", "http://127.0.0.1:80@evil.example", "http://[::2]",
                           "http://192.0.2.1", "http://notlocalhost"}) {
    ASSERT_OK_AND_ASSIGN(const Url url, ParseUrl(text));
    EXPECT_FALSE(url.IsLoopback()) << text;
  }
}

TEST(UrlTest, TellsAUserFromAQuery) {
  ASSERT_OK_AND_ASSIGN(const Url with_user, ParseUrl("https://a:b@r.example/"));
  ASSERT_OK_AND_ASSIGN(const Url with_query, ParseUrl("https://r.example/?a=b@c"));
  EXPECT_TRUE(with_user.has_user);
  EXPECT_FALSE(with_query.has_user);
}

TEST(UrlTest, HasOneOriginForEachServer) {
  const auto origin = [](const char* text) { return ParseUrl(text)->Origin(); };
  EXPECT_EQ(origin("https://R.example"), "https://r.example:443");
  EXPECT_EQ(origin("https://r.example:443/a?b"), "https://r.example:443");
  EXPECT_EQ(origin("http://r.example"), "http://r.example:80");
  EXPECT_EQ(origin("http://[::1]:5000"), "http://[::1]:5000");
}

TEST(UrlTest, ResolvesReferences) {
  const std::string base = "https://r.example:5000/v2/a/tags/list?n=1";
  EXPECT_THAT(ResolveUrl(base, "/v2/b?last=c#d"), IsOkAndHolds("https://r.example:5000/v2/b?last=c"));
  EXPECT_THAT(ResolveUrl(base, "?n=2"), IsOkAndHolds("https://r.example:5000/v2/a/tags/list?n=2"));
  EXPECT_THAT(ResolveUrl(base, "//other.example/c"), IsOkAndHolds("https://other.example/c"));
  EXPECT_THAT(ResolveUrl(base, "http://other.example/c?d=%2F"), IsOkAndHolds("http://other.example/c?d=%2F"));
  // A signature is of these bytes.
  const std::string is_signed = "https://s.example/a/./b//c%2f%2Fd/?X=a%2Fb%2b%3D&Y=&Z=/+~*";
  EXPECT_THAT(ResolveUrl(base, is_signed), IsOkAndHolds(is_signed));
  EXPECT_THAT(ResolveUrl(base, "https://s.example/a b"), IsOkAndHolds("https://s.example/a%20b"));
  EXPECT_THAT(ResolveUrl(base, "https://"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(UrlTest, RecognisesRedirects) {
  for (const int status : {301, 302, 303, 307, 308}) EXPECT_TRUE(IsRedirect(status)) << status;
  for (const int status : {200, 300, 304, 305, 306, 309, 401, 404}) EXPECT_FALSE(IsRedirect(status)) << status;
}

}  // namespace
}  // namespace entrepot::outbound
