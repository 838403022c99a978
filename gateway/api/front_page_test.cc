#include "gateway/api/front_page.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/api/testing/test_auth.h"
#include "gateway/api/testing/test_registry.h"
#include "gtest/gtest.h"
#include "services/runtime/version.h"

namespace entrepot::gateway::api {
namespace {

RawResponse Get(const TestRegistry& registry, absl::string_view host_field) {
  http::testing::RawClient client(registry.port());
  client.Send(absl::StrCat("GET / HTTP/1.1\r\n", host_field, "\r\n"));
  return client.Receive().value();
}

TEST(FrontPageTest, ShowsTheVersionAndTheCommandsOfAFirstPush) {
  TestRegistry registry;
  const RawResponse page = Get(registry, "Host: registry.example:5000\r\n");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.Field("content-type"), "text/html; charset=utf-8");
  EXPECT_TRUE(absl::StrContains(page.body,
                                "<pre>\ndocker pull hello-world\n"
                                "docker tag hello-world registry.example:5000/hello-world\n"
                                "docker push registry.example:5000/hello-world\n</pre>"))
      << page.body;
  EXPECT_TRUE(absl::StrContains(page.body, absl::StrCat("version ", runtime::kVersion, ".")));
  EXPECT_FALSE(absl::StrContains(page.body, "$"));
  EXPECT_FALSE(absl::StrContains(page.body, "<script"));
}

TEST(FrontPageTest, LogsInFirstIfThereAreAccounts) {
  TestAuth auth;
  TestRegistry registry({}, auth.accounts());
  EXPECT_TRUE(
      absl::StrContains(Get(registry, "Host: r.example\r\n").body, "<pre>\ndocker login r.example\ndocker pull"));
}

TEST(FrontPageTest, ShowsTheExternalUrl) {
  config::v1::PublicEndpoint listen;
  listen.set_external_url("https://registry.example");
  TestRegistry registry({}, {}, listen);
  EXPECT_TRUE(
      absl::StrContains(Get(registry, "Host: 10.0.0.5\r\n").body, "docker push registry.example/hello-world\n"));
}

TEST(FrontPageTest, ShowsNoHostThatMeansMoreInHtmlOrAShell) {
  TestRegistry registry;
  for (const char* host : {"a&lt;b", "a'b", "$(reboot)", "a;b", "%3Cscript%3E"}) {
    const RawResponse page = Get(registry, absl::StrCat("Host: ", host, "\r\n"));
    EXPECT_EQ(page.status, 200) << host;
    EXPECT_TRUE(absl::StrContains(page.body, "docker push localhost/hello-world")) << host;
    EXPECT_FALSE(absl::StrContains(page.body, host)) << host;
  }
  EXPECT_TRUE(absl::StrContains(Get(registry, "Host: [2001:db8::1]:5000\r\n").body, "push [2001:db8::1]:5000/"));
}

TEST(FrontPageTest, IsForReadingOnly) {
  TestRegistry registry;
  const RawResponse head = registry.Call("HEAD", "/");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
  const RawResponse post = registry.Call("POST", "/");
  EXPECT_EQ(post.status, 405);
  EXPECT_EQ(post.Field("allow"), "GET, HEAD");
}

}  // namespace
}  // namespace entrepot::gateway::api
