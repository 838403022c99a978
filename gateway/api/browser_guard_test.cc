#include "gateway/api/browser_guard.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/api/testing/test_auth.h"
#include "gateway/api/testing/test_registry.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway::api {
namespace {

using Names = std::vector<std::string>;

config::v1::PublicEndpoint Listen(const std::string& address, const Names& names = {},
                                  const std::string& external_url = "") {
  config::v1::PublicEndpoint listen;
  listen.set_address(address);
  listen.set_external_url(external_url);
  listen.mutable_names()->Assign(names.begin(), names.end());
  return listen;
}

http::Request From(const std::vector<http::Request::Field>& fields, bool is_tls = false) {
  http::Request request;
  request.fields = fields;
  request.is_tls = is_tls;
  return request;
}

bool Answers(const BrowserGuard& guard, absl::string_view host) { return guard.CheckHost(From({{"Host", host}})).ok(); }

TEST(BrowserGuardTest, AnOpenRegistryOnALoopbackAddressAnswersToLoopbackHostsAndItsUrl) {
  for (const char* address : {"127.0.0.1", "::1"}) {
    const BrowserGuard guard(Listen(address, {}, "https://registry.example"), false);
    for (const char* good : {"localhost", "localhost:5000", "LocalHost:5000", "a.localhost:80", "127.0.0.1:5000",
                             "127.1.2.3", "[::1]:5000", "registry.example", "Registry.Example:443"}) {
      EXPECT_TRUE(Answers(guard, good)) << good;
    }
    for (const char* bad : {"rebound.example", "rebound.example:5000", "localhost.rebound.example", "0.0.0.0:5000",
                            "10.0.0.1:5000", "[::]:5000", "a.registry.example"}) {
      EXPECT_THAT(guard.CheckHost(From({{"Host", bad}})), IsOciError(OciErrorCode::kDenied)) << bad;
    }
    // HTTP/1.0, which no browser speaks.
    EXPECT_OK(guard.CheckHost(From({})));
  }
}

TEST(BrowserGuardTest, NamesAreTheHostsToWhichARegistryAnswers) {
  for (const bool has_accounts : {false, true}) {
    const BrowserGuard guard(Listen("0.0.0.0", {"registry.example", "10.0.0.5", "2001:db8::5"}), has_accounts);
    for (const char* good : {"REGISTRY.example:5000", "10.0.0.5:5000", "[2001:DB8:0::5]:5000", "localhost:5000"}) {
      EXPECT_TRUE(Answers(guard, good)) << good;
    }
    for (const char* bad : {"rebound.example:5000", "10.0.0.6:5000", "[2001:db8::6]:5000"}) {
      EXPECT_FALSE(Answers(guard, bad)) << bad;
    }
  }
  const absl::Status refusal =
      BrowserGuard(Listen("127.0.0.1"), false).CheckHost(From({{"Host", "rebound.example:5000"}}));
  EXPECT_TRUE(absl::StrContains(refusal.message(), "\"rebound.example\"")) << refusal;
  EXPECT_TRUE(absl::StrContains(refusal.message(), "listen.names")) << refusal;
}

TEST(BrowserGuardTest, WithoutNamesOtherRegistriesAnswerToEveryHost) {
  EXPECT_TRUE(Answers(BrowserGuard(Listen("0.0.0.0"), false), "anything.example"));
  EXPECT_TRUE(Answers(BrowserGuard(Listen("0.0.0.0", {}, "https://r.example"), false), "anything.example"));
  EXPECT_TRUE(Answers(BrowserGuard(Listen("127.0.0.1"), true), "anything.example"));
}

TEST(BrowserGuardTest, AcceptsItsOwnPagesAndClientsThatAreNoBrowsers) {
  const BrowserGuard guard(Listen("0.0.0.0", {}, "https://registry.example/"), false);
  const auto accepts = [&guard](absl::string_view host, absl::string_view origin, bool is_tls = false) {
    return guard.CheckOrigin(From({{"Host", host}, {"Origin", origin}, {"Sec-Fetch-Site", "same-origin"}}, is_tls))
        .ok();
  };
  EXPECT_OK(guard.CheckOrigin(From({{"Host", "localhost:5000"}})));
  EXPECT_OK(guard.CheckOrigin(From({{"Host", "localhost:5000"}, {"Sec-Fetch-Site", "none"}})));
  EXPECT_TRUE(accepts("localhost:5000", "http://localhost:5000"));
  EXPECT_TRUE(accepts("LOCALHOST:5000", "http://localhost:5000"));
  EXPECT_TRUE(accepts("r.example", "https://r.example", true));
  EXPECT_TRUE(accepts("r.example:443", "https://r.example", true));
  EXPECT_TRUE(accepts("r.example:80", "http://r.example"));
  // A proxy ends TLS and does not report it.
  EXPECT_TRUE(accepts("r.example", "https://r.example"));
  // A proxy changes the Host field.
  EXPECT_TRUE(accepts("10.0.0.5:5000", "https://registry.example"));
}

TEST(BrowserGuardTest, RefusesPagesOfOtherOrigins) {
  const BrowserGuard guard(Listen("0.0.0.0"), false);
  for (const char* origin : {"http://evil.example", "null", "", "http://localhost", "http://localhost:3000",
                             "http://localhost:5000.evil.example", "localhost:5000", "http://",
                             "http://localhost:5000/x", "http://a.localhost:5000", "app://localhost:5000", "file://"}) {
    EXPECT_THAT(guard.CheckOrigin(From({{"Host", "localhost:5000"}, {"Origin", origin}})),
                IsOciError(OciErrorCode::kDenied))
        << origin;
  }
  // The page may have been changed on its way.
  EXPECT_FALSE(guard.CheckOrigin(From({{"Host", "r.example"}, {"Origin", "http://r.example"}}, true)).ok());
  for (const char* site : {"cross-site", "same-site", "", "Same-Origin", "unknown"}) {
    EXPECT_FALSE(guard.CheckOrigin(From({{"Host", "localhost:5000"}, {"Sec-Fetch-Site", site}})).ok()) << site;
  }
  EXPECT_FALSE(
      guard
          .CheckOrigin(From(
              {{"Host", "localhost:5000"}, {"Origin", "http://localhost:5000"}, {"Origin", "http://evil.example"}}))
          .ok());
  // Without a Host no origin is its own.
  EXPECT_FALSE(guard.CheckOrigin(From({{"Origin", "http://"}})).ok());
}

// The whole registry.

constexpr char kForeign[] = "Origin: http://evil.example\r\n";
constexpr char kCrossSite[] = "Sec-Fetch-Site: cross-site\r\n";

TEST(RegistryBehindBrowserGuardTest, RefusesUnsafeMethodsOfOtherOrigins) {
  TestAuth auth;
  TestRegistry open;
  TestRegistry secured({}, auth.accounts());
  const std::string token = Bearer(auth.Token("ann", "repository:a:* registry:administration:*"));
  secured.AddToRequests(token);
  for (TestRegistry* registry : {&open, &secured}) {
    const std::string digest = registry->PushImage("a", "latest").ToString();
    const std::string upload = registry->StartUpload("a");
    for (const char* fields : {kForeign, kCrossSite}) {
      const auto refused = [&](const char* method, const std::string& target) {
        const RawResponse response = registry->Call(method, target, "", absl::StrCat(fields, kJsonContentType));
        EXPECT_EQ(response.status, 403) << method << " " << target << " " << fields;
        EXPECT_EQ(ErrorCode(response), "DENIED") << method << " " << target;
      };
      refused("POST", "/v2/a/blobs/uploads/");
      refused("PATCH", upload);
      refused("PUT", absl::StrCat(upload, "?digest=", digest));
      refused("DELETE", upload);
      refused("PUT", "/v2/a/manifests/other");
      refused("DELETE", "/v2/a/manifests/latest");
      refused("DELETE", absl::StrCat("/v2/a/blobs/", digest));
      refused("POST", "/entrepot/v1/maintain");
      refused("POST", "/entrepot/v1/upstreams");
      refused("POST", "/nowhere");
      refused("BREW", "/v2/");
      EXPECT_EQ(registry->Call("GET", "/v2/a/manifests/latest", "", fields).status, 200);
      EXPECT_EQ(registry->Call("OPTIONS", "/v2/", "", fields).status, 405);
    }
    EXPECT_EQ(registry->Call("GET", upload).status, 204);
  }
}

TEST(RegistryBehindBrowserGuardTest, RefusesLoginsOfOtherOrigins) {
  TestAuth auth;
  TestRegistry registry({}, auth.accounts());
  const std::string credential = Basic("ann", "secret");
  EXPECT_EQ(registry.Call("GET", "/token", "", credential).status, 200);
  for (const char* fields : {kForeign, kCrossSite}) {
    for (const char* target : {"/token", "/%74oken?offline_token=true"}) {
      EXPECT_EQ(registry.Call("GET", target, "", absl::StrCat(fields, credential)).status, 403) << target << fields;
    }
    EXPECT_EQ(registry
                  .Call("POST", "/token", "grant_type=password&username=ann&password=secret",
                        absl::StrCat(fields, "Content-Type: application/x-www-form-urlencoded\r\n"))
                  .status,
              403);
  }
}

TEST(RegistryBehindBrowserGuardTest, RefusesReboundNamesOnEveryRoute) {
  TestRegistry registry({}, {}, Listen("127.0.0.1"));
  const Digest digest = registry.PushImage("a", "latest");
  const auto call = [&registry](absl::string_view method, absl::string_view target, absl::string_view host) {
    http::testing::RawClient client(registry.port());
    client.Send(absl::StrCat(method, " ", target, " HTTP/1.1\r\nHost: ", host, "\r\nContent-Length: 0\r\n\r\n"));
    return client.Receive(method == "HEAD")->status;
  };
  for (const std::string& target : {std::string("/"), std::string("/v2/"), std::string("/v2/_catalog"),
                                    std::string("/v2/a/tags/list"), std::string("/v2/a/manifests/latest"),
                                    absl::StrCat("/v2/a/referrers/", digest.ToString()), std::string("/nowhere")}) {
    EXPECT_EQ(call("GET", target, "rebound.example:5000"), 403) << target;
    EXPECT_EQ(call("HEAD", target, "rebound.example:5000"), 403) << target;
  }
  EXPECT_EQ(call("POST", "/v2/a/blobs/uploads/", "rebound.example:5000"), 403);
  EXPECT_EQ(call("DELETE", "/v2/a/manifests/latest", "rebound.example:5000"), 403);
  // The target in absolute form takes the place of the Host field.
  EXPECT_EQ(call("GET", "http://rebound.example:5000/v2/", "localhost"), 403);
  EXPECT_EQ(call("GET", "/v2/a/manifests/latest", "localhost:5000"), 200);
}

}  // namespace
}  // namespace entrepot::gateway::api
