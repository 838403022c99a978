#include "services/upstream/login/token_requests.h"

#include <sys/stat.h>

#include <fstream>
#include <memory>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/core/time/fake_clock.h"
#include "services/core/time/stop_signal.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/outbound/testing/scripted_hop.h"
#include "services/status/status_matchers.h"
#include "services/upstream/registry/upstream_error.h"

namespace entrepot::upstream {
namespace {

using outbound::HeaderOf;
using outbound::ScriptedHop;
using outbound::ScriptedResponse;
using testing::HasSubstr;
using testing::Not;

constexpr char kScope[] = "repository:library/nginx:pull";

class TokenRequestsTest : public testing::Test {
 protected:
  TokenRequestsTest() {
    answer_ = [](const auto&) { return ScriptedResponse{.body = R"({"token":"t"})"}; };
  }

  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = absl::StrCat(directory_.path(), "/", name);
    std::ofstream(path) << text;
    EXPECT_EQ(::chmod(path.c_str(), 0700), 0);
    return path;
  }
  void UsePassword(const std::string& password) {
    entry_.set_username("ci");
    entry_.set_password_file(Write("password", password));
  }
  // Each run of the helper returns the next of the secrets.
  void UseHelper(const std::string& username, const std::vector<std::string>& secrets) {
    std::string lines;
    for (const std::string& secret : secrets) absl::StrAppend(&lines, secret, "\n");
    const std::string list = Write("secrets", lines);
    entry_.set_helper(
        Write("helper", absl::StrCat("#!/bin/sh\nsecret=$(head -n 1 ", list, ")\nsed -i 1d ", list,
                                     "\nprintf '{\"Username\":\"", username, "\",\"Secret\":\"%s\"}' \"$secret\"\n")));
  }

  // Made at the first use, after the entry is complete.
  TokenRequests& requests() {
    if (tokens_ != nullptr) return *tokens_;
    auto hop = std::make_unique<ScriptedHop>([&](const outbound::HopRequest& request) { return answer_(request); });
    hop_ = hop.get();
    follower_ = std::make_unique<RedirectFollower>("r.example", "https://r.example:443", std::move(hop), nullptr);
    credentials_ = std::make_unique<CredentialSource>(entry_, "r.example", &clock_, &stop_);
    tokens_ = std::make_unique<TokenRequests>(TokenRequests::Parts{.upstream = "r.example",
                                                                   .follower = follower_.get(),
                                                                   .realms = &realms_,
                                                                   .credentials = credentials_.get(),
                                                                   .refused = &refused_,
                                                                   .metrics = &metrics_,
                                                                   .clock = &clock_});
    return *tokens_;
  }
  absl::StatusOr<IssuedToken> Request(const std::string& realm = "https://auth.r.example/token",
                                      const std::string& scope = kScope, bool may_have_credentials = true) {
    return requests().Request({.scheme = "bearer", .parameters = {{"realm", realm}, {"service", "the registry"}}},
                              scope, may_have_credentials);
  }
  std::vector<outbound::HopRequest> Sent() { return hop_->requests(); }
  // Whether any request had the text anywhere.
  bool WasSent(absl::string_view text) {
    for (const outbound::HopRequest& request : Sent()) {
      std::string all = absl::StrCat(request.url, request.body);
      for (const auto& [name, value] : request.headers) absl::StrAppend(&all, name, value);
      if (absl::StrContains(all, text)) return true;
    }
    return false;
  }

  kv::TemporaryDirectory directory_;
  FakeClock clock_;
  StopSignal stop_;
  config::v1::UpstreamCredentials entry_;
  RealmRule realms_{*outbound::ParseUrl("https://r.example"), {}};
  RefusedLogins refused_{&clock_};
  RegistryMetrics metrics_{std::make_shared<prometheus::Registry>(), "r.example"};
  ScriptedHop::Script answer_;
  ScriptedHop* hop_ = nullptr;
  std::unique_ptr<RedirectFollower> follower_;
  std::unique_ptr<CredentialSource> credentials_;
  std::unique_ptr<TokenRequests> tokens_;
};

TEST_F(TokenRequestsTest, AsksAnonymouslyWithoutCredentials) {
  const auto token = Request();
  ASSERT_OK(token);
  EXPECT_EQ(token->text, "t");
  ASSERT_EQ(Sent().size(), 1u);
  EXPECT_EQ(Sent()[0].method, "GET");
  EXPECT_EQ(Sent()[0].url,
            "https://auth.r.example/token?service=the%20registry&scope=repository%3Alibrary%2Fnginx%3Apull");
  EXPECT_EQ(HeaderOf(Sent()[0], "Authorization"), "");
}

TEST_F(TokenRequestsTest, AddsToTheQueryOfTheRealm) {
  ASSERT_OK(Request("https://r.example/token?a=b#c"));
  EXPECT_THAT(Sent()[0].url, testing::StartsWith("https://r.example/token?a=b&service="));
}

TEST_F(TokenRequestsTest, LeavesOutAServiceThatTheChallengeDoesNotName) {
  ASSERT_OK(
      requests().Request({.scheme = "bearer", .parameters = {{"realm", "https://r.example/proxy_auth"}}}, "a", true));
  EXPECT_EQ(Sent()[0].url, "https://r.example/proxy_auth?scope=a");
}

TEST_F(TokenRequestsTest, LogsInWithThePassword) {
  UsePassword("secret\n");
  ASSERT_OK(Request());
  EXPECT_EQ(HeaderOf(Sent()[0], "Authorization"), absl::StrCat("Basic ", absl::Base64Escape("ci:secret")));
}

TEST_F(TokenRequestsTest, SendsNoCredentialsToAnotherDomain) {
  UsePassword("secret");
  ASSERT_OK(Request("https://auth.evil.example/token"));
  ASSERT_EQ(Sent().size(), 1u);
  EXPECT_EQ(HeaderOf(Sent()[0], "Authorization"), "");
  UseHelper("<token>", {"secret"});
  tokens_ = nullptr;
  ASSERT_OK(Request("https://auth.evil.example/token"));
  EXPECT_FALSE(WasSent("secret"));
  EXPECT_FALSE(WasSent("Basic"));
}

TEST_F(TokenRequestsTest, SendsNoCredentialsForTheChallengeOfAnotherHost) {
  UsePassword("secret");
  ASSERT_OK(Request("https://auth.r.example/token", kScope, /*may_have_credentials=*/false));
  EXPECT_EQ(HeaderOf(Sent()[0], "Authorization"), "");
}

TEST_F(TokenRequestsTest, SendsNoCredentialsWhereTheTokenServiceRedirects) {
  UsePassword("secret");
  answer_ = [](const outbound::HopRequest& request) {
    if (absl::StartsWith(request.url, "https://auth.r.example/")) {
      return ScriptedResponse{.status = 302, .fields = {{"location", "https://evil.example/token"}}};
    }
    return ScriptedResponse{.body = R"({"token":"t"})"};
  };
  ASSERT_OK(Request());
  ASSERT_EQ(Sent().size(), 2u);
  EXPECT_EQ(HeaderOf(Sent()[1], "Authorization"), "");
}

TEST_F(TokenRequestsTest, RefusesRealmsThatAreNotHttps) {
  UsePassword("secret");
  for (const char* realm : {"http://r.example/token", "", "token", "https://user@r.example/", "file:///etc/passwd"}) {
    EXPECT_EQ(FailureOf(Request(realm).status()), UpstreamFailure::kInvalid) << realm;
  }
  EXPECT_TRUE(Sent().empty());
}

TEST_F(TokenRequestsTest, DoesNotRepeatARefusedLoginWithinAMinute) {
  UsePassword("wrong");
  answer_ = [](const auto&) { return ScriptedResponse{.status = 401}; };
  EXPECT_EQ(FailureOf(Request().status()), UpstreamFailure::kDenied);
  EXPECT_EQ(FailureOf(Request().status()), UpstreamFailure::kDenied);
  EXPECT_EQ(FailureOf(Request("https://auth.r.example/token", "repository:other:pull").status()),
            UpstreamFailure::kDenied);
  EXPECT_EQ(Sent().size(), 1u);
  Write("password", "right");
  EXPECT_EQ(FailureOf(Request().status()), UpstreamFailure::kDenied);
  EXPECT_EQ(Sent().size(), 2u);
  Write("password", "wrong");
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(FailureOf(Request().status()), UpstreamFailure::kDenied);
  EXPECT_EQ(Sent().size(), 3u);
}

TEST_F(TokenRequestsTest, ARefusedScopeRefusesNoOther) {
  UsePassword("secret");
  answer_ = [](const outbound::HopRequest& request) {
    if (absl::StrContains(request.url, "nginx")) return ScriptedResponse{.status = 403};
    return ScriptedResponse{.body = R"({"token":"t"})"};
  };
  EXPECT_EQ(FailureOf(Request().status()), UpstreamFailure::kDenied);
  EXPECT_OK(Request("https://auth.r.example/token", "repository:other:pull"));
}

TEST_F(TokenRequestsTest, AsksTheHelperAgainIfItsCredentialsAreRefused) {
  UseHelper("AWS", {"old", "new"});
  answer_ = [](const outbound::HopRequest& request) {
    if (HeaderOf(request, "Authorization") == absl::StrCat("Basic ", absl::Base64Escape("AWS:new"))) {
      return ScriptedResponse{.body = R"({"token":"t"})"};
    }
    return ScriptedResponse{.status = 401};
  };
  EXPECT_OK(Request());
  EXPECT_EQ(Sent().size(), 2u);
}

TEST_F(TokenRequestsTest, PostsARefreshToken) {
  UseHelper("<token>", {"refresh&secret"});
  ASSERT_OK(Request());
  ASSERT_EQ(Sent().size(), 1u);
  EXPECT_EQ(Sent()[0].method, "POST");
  EXPECT_EQ(Sent()[0].url, "https://auth.r.example/token");
  EXPECT_EQ(Sent()[0].body,
            "grant_type=refresh_token&client_id=entrepot&refresh_token=refresh%26secret&service=the%20registry&scope="
            "repository%3Alibrary%2Fnginx%3Apull");
  EXPECT_EQ(HeaderOf(Sent()[0], "Content-Type"), "application/x-www-form-urlencoded");
}

TEST_F(TokenRequestsTest, FallsBackToGet) {
  for (const int status : {400, 401, 404, 405}) {
    UseHelper("<token>", {"secret"});
    tokens_ = nullptr;
    answer_ = [status](const outbound::HopRequest& request) {
      if (request.method == "POST") return ScriptedResponse{.status = status};
      return ScriptedResponse{.body = R"({"access_token":"t"})"};
    };
    ASSERT_OK(Request()) << status;
    ASSERT_EQ(Sent().size(), 2u);
    EXPECT_EQ(HeaderOf(Sent()[1], "Authorization"), absl::StrCat("Basic ", absl::Base64Escape("<token>:secret")));
  }
}

TEST_F(TokenRequestsTest, DoesNotFallBackToGetIfTheServiceFails) {
  UseHelper("<token>", {"secret"});
  answer_ = [](const auto&) { return ScriptedResponse{.status = 503}; };
  EXPECT_EQ(FailureOf(Request().status()), UpstreamFailure::kUnavailable);
  EXPECT_EQ(Sent().size(), 1u);
}

TEST_F(TokenRequestsTest, MapsTheAnswersOfTheService) {
  const auto failure = [&](ScriptedResponse response) {
    answer_ = [response](const auto&) { return response; };
    return FailureOf(Request().status());
  };
  EXPECT_EQ(failure({.status = 401}), UpstreamFailure::kDenied);
  EXPECT_EQ(failure({.status = 403}), UpstreamFailure::kDenied);
  EXPECT_EQ(failure({.status = 404}), UpstreamFailure::kInvalid);
  EXPECT_EQ(failure({.status = 429}), UpstreamFailure::kRateLimited);
  EXPECT_EQ(failure({.status = 500}), UpstreamFailure::kUnavailable);
  EXPECT_EQ(failure({.body = "<html>"}), UpstreamFailure::kInvalid);
  EXPECT_EQ(failure({.body = std::string(65 * 1024, ' ')}), UpstreamFailure::kInvalid);
  EXPECT_EQ(failure({.failure = absl::UnavailableError("broke off")}), UpstreamFailure::kUnavailable);
}

TEST_F(TokenRequestsTest, IsUnavailableWithoutThePasswordFile) {
  entry_.set_password_file("/nonexistent");
  EXPECT_EQ(FailureOf(Request().status()), UpstreamFailure::kUnavailable);
}

TEST_F(TokenRequestsTest, ShowsNoSecretInErrors) {
  UsePassword("secret");
  for (const int status : {400, 401, 403, 429, 500}) {
    answer_ = [status](const auto&) {
      return ScriptedResponse{.status = status, .body = R"({"errors":[{"code":"DENIED","message":"no"}]})"};
    };
    EXPECT_THAT(std::string(Request().status().message()), Not(HasSubstr("secret")));
    clock_.Advance(absl::Minutes(2));
  }
}

}  // namespace
}  // namespace entrepot::upstream
