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

}  // namespace
}  // namespace entrepot::outbound
