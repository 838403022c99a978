#include "services/upstream/names/upstream_url.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::upstream {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(UpstreamUrlTest, ReadsTheParts) {
  ASSERT_OK_AND_ASSIGN(const UpstreamUrl plain, ParseUpstreamUrl("https://registry-1.docker.io"));
  EXPECT_TRUE(plain.https);
  EXPECT_EQ(plain.host, "registry-1.docker.io");
  EXPECT_EQ(plain.port, 443u);
  EXPECT_EQ(plain.path, "");

  ASSERT_OK_AND_ASSIGN(const UpstreamUrl all, ParseUpstreamUrl("HTTP://[::1]:5001/docker/remote/"));
  EXPECT_FALSE(all.https);
  EXPECT_EQ(all.host, "::1");
  EXPECT_EQ(all.port, 5001u);
  EXPECT_EQ(all.path, "/docker/remote");
}

TEST(UpstreamUrlTest, HasOneText) {
  struct Case {
    std::string text;
    std::string written;
  };
  const Case cases[] = {
      {"https://a.example", "https://a.example"},
      {"HTTPS://A.Example./", "https://a.example"},
      {"https://a.example:443/x/", "https://a.example/x"},
      {"https://a.example:80", "https://a.example:80"},
      {"http://a.example:80", "http://a.example"},
      {"http://a.example:443", "http://a.example:443"},
      {"http://127.0.0.1:5000", "http://127.0.0.1:5000"},
      {"https://[2001:DB8::1]", "https://[2001:db8::1]"},
      {"https://[2001:db8::1]:5000/v2x", "https://[2001:db8::1]:5000/v2x"},
  };
  for (const Case& test : cases) {
    ASSERT_OK_AND_ASSIGN(const UpstreamUrl url, ParseUpstreamUrl(test.text));
    EXPECT_EQ(url.ToString(), test.written) << test.text;
  }
}

TEST(UpstreamUrlTest, RefusesWhatIsNoUrlOfARegistry) {
  struct Case {
    std::string text;
    std::string problem;
  };
  const Case cases[] = {
      {"", "must begin with https:// or http://"},
      {"a.example", "must begin with https:// or http://"},
      {"ftp://a.example", "must begin with https:// or http://"},
      {"https:/a.example", "must begin with https:// or http://"},
      {"https://", "must have a host"},
      {"https:///v1", "must have a host"},
      {"https://a b", "must have a host"},
      {"https://a:x", "must have a host"},
      {"https://a:0", "must have a host"},
      {"https://::1", "must have a host"},
      {"https://1:2:3:4:5:6:7:8", "must have a host"},
      {"https://a\\b", "must have a host"},
      {"https://a%2eb", "must have a host"},
      {"https://a/?x", "contains a query"},
      {"https://a#x", "contains a fragment"},
      {"https://a/x//y", "has an empty segment"},
      {"https://a//", "has an empty segment"},
      {"https://a/../b", "has an empty segment, \".\" or \"..\""},
      {"https://a/%2e", "has other characters in its path"},
      {"https://a/b c", "has other characters in its path"},
      {"https://a/v2", "must end before /v2"},
      {"https://a/b/v2/", "must end before /v2"},
      {"https://" + std::string(3000, 'a'), "is longer than 2048 bytes"},
  };
  for (const Case& test : cases) {
    const absl::Status status = ParseUpstreamUrl(test.text).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument)) << test.text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(test.problem)) << test.text;
  }
}

TEST(UpstreamUrlTest, DoesNotShowThePasswordOfAUrl) {
  const absl::Status status = ParseUpstreamUrl("https://user:secret@a.example").status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("must not contain a user"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace entrepot::upstream
