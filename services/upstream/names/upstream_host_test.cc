#include "services/upstream/names/upstream_host.h"

#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::upstream {
namespace {

TEST(UpstreamHostTest, FoldsAllTextsOfOneHost) {
  struct Case {
    std::string text;
    std::string folded;
  };
  const Case cases[] = {
      {"docker.io", "docker.io"},
      {"Docker.IO", "docker.io"},
      {"docker.io.", "docker.io"},
      {"docker.io:443", "docker.io"},
      {"DOCKER.io.:0443", "docker.io"},
      {"registry.example:5000", "registry.example:5000"},
      {"registry.example:80", "registry.example:80"},
      {"localhost", "localhost"},
      {"192.0.2.1:5000", "192.0.2.1:5000"},
      {"2001:DB8:0::1", "2001:db8::1"},
      {"[2001:db8::1]", "2001:db8::1"},
      {"[2001:db8::1]:443", "2001:db8::1"},
      {"[2001:DB8::1]:5000", "[2001:db8::1]:5000"},
      {"[::ffff:192.0.2.1]:5000", "192.0.2.1:5000"},
  };
  for (const Case& test : cases) EXPECT_EQ(FoldHost(test.text), test.folded) << test.text;
}

TEST(UpstreamHostTest, RefusesWhatIsNoHost) {
  for (const char* text : {"",
                           ".",
                           ":",
                           ":5000",
                           "a:",
                           "a:0",
                           "a:65536",
                           "a:+1",
                           "a:-1",
                           "a: 1",
                           "a:1:2",
                           "a b",
                           "a/b",
                           "a@b",
                           "a?b",
                           "a..:x",
                           "https://a",
                           "[::1",
                           "::1]",
                           "[::1]x",
                           "[::1]5000",
                           "[a]",
                           "[192.0.2.1]",
                           "[]",
                           "[::1]:",
                           "fe80::1%eth0",
                           "[fe80::1%eth0]:5000",
                           "\xc3\xa4.example",
                           "a\n"}) {
    EXPECT_EQ(FoldHost(text), std::nullopt) << text;
  }
  EXPECT_EQ(FoldHost(std::string(300, 'a')), std::nullopt);
  EXPECT_EQ(FoldHost(std::string("a\0b", 3)), std::nullopt);
}

TEST(UpstreamHostTest, KeepsThePort) {
  const std::optional<UpstreamHost> host = ParseUpstreamHost("[::1]:443");
  ASSERT_TRUE(host.has_value());
  EXPECT_EQ(host->host, "::1");
  EXPECT_EQ(host->port, 443u);
  EXPECT_EQ(ParseUpstreamHost("a")->port, 0u);
}

}  // namespace
}  // namespace entrepot::upstream
