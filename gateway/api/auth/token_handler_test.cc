#include "gateway/api/auth/token_handler.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boost/json/parse.hpp"
#include "gateway/api/testing/test_auth.h"
#include "gateway/api/testing/test_registry.h"
#include "gtest/gtest.h"
#include "services/status/oci_error.h"

namespace entrepot::gateway::api {
namespace {

constexpr char kForm[] = "Content-Type: application/x-www-form-urlencoded\r\n";

boost::json::object Json(const RawResponse& response) { return boost::json::parse(response.body).as_object(); }

std::string Text(const boost::json::object& object, absl::string_view name) {
  return std::string(object.at(std::string(name)).as_string());
}

class TokenHandlerTest : public testing::Test {
 protected:
  RawResponse Post(absl::string_view form) { return registry_.Call("POST", "/token", form, kForm); }

  TestAuth auth_;
  TestRegistry registry_{{}, auth_.accounts()};
};

TEST_F(TokenHandlerTest, IssuesAnAnonymousToken) {
  const RawResponse response = registry_.Call("GET", "/token?service=test-service&scope=repository:a:pull");
  ASSERT_EQ(response.status, 200);
  EXPECT_EQ(response.Field("content-type"), "application/json");
  EXPECT_EQ(response.Field("cache-control"), "no-store");
  const boost::json::object body = Json(response);
  EXPECT_EQ(Text(body, "token"), Text(body, "access_token"));
  EXPECT_EQ(body.at("expires_in").as_int64(), 300);
  EXPECT_EQ(Text(body, "issued_at"), "2023-11-14T22:13:20Z");
  EXPECT_FALSE(body.contains("refresh_token"));
  EXPECT_FALSE(body.contains("scope"));
  EXPECT_FALSE(auth_.last_token_request().has_password());
  EXPECT_EQ(auth_.last_token_request().remote_address(), "127.0.0.1");
  EXPECT_EQ(registry_.Call("GET", "/v2/", "", Bearer(Text(body, "token"))).status, 200);
}

TEST_F(TokenHandlerTest, AcceptsBasicCredentials) {
  // `docker login` sends this.
  const RawResponse response = registry_.Call(
      "GET", "/token?account=ann&client_id=docker&offline_token=true&service=test-service", "", Basic("ann", "secret"));
  ASSERT_EQ(response.status, 200);
  EXPECT_EQ(Text(Json(response), "refresh_token"), "refresh-me");
  EXPECT_EQ(auth_.last_token_request().password().account(), "ann");
  EXPECT_EQ(auth_.last_token_request().client_id(), "docker");
  EXPECT_EQ(auth_.last_token_request().service(), "test-service");
  EXPECT_TRUE(auth_.last_token_request().offline());

  const RawResponse wrong = registry_.Call("GET", "/token", "", Basic("ann", "guess"));
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(ErrorCode(wrong), "UNAUTHORIZED");
  EXPECT_EQ(wrong.Field("www-authenticate"), "Basic realm=\"entrepot\"");
  EXPECT_EQ(wrong.Field("cache-control"), "no-store");
}

TEST_F(TokenHandlerTest, AcceptsRepeatedAndJoinedScopes) {
  for (const char* query :
       {"scope=repository:a:pull&scope=repository:b:pull,push", "scope=repository:a:pull+repository:b:pull,push",
        "scope=repository%3Aa%3Apull%20repository%3Ab%3Apull%2Cpush",
        "scope=&scope=++repository:a:pull++repository:b:pull,push+"}) {
    ASSERT_EQ(registry_.Call("GET", absl::StrCat("/token?", query)).status, 200) << query;
    const auto request = auth_.last_token_request();
    ASSERT_EQ(request.scopes_size(), 2) << query;
    EXPECT_EQ(request.scopes(0), "repository:a:pull") << query;
    EXPECT_EQ(request.scopes(1), "repository:b:pull,push") << query;
  }
}

TEST_F(TokenHandlerTest, AcceptsAPasswordGrant) {
  // containerd sends this first.
  const RawResponse response = Post(
      "grant_type=password&service=test-service&client_id=containerd-client&username=ann&password=secret&"
      "access_type=offline&scope=repository%3Aa%3Apull+repository%3Ab%3Apull");
  ASSERT_EQ(response.status, 200);
  EXPECT_EQ(response.Field("cache-control"), "no-store");
  const boost::json::object body = Json(response);
  EXPECT_EQ(Text(body, "token"), Text(body, "access_token"));
  EXPECT_EQ(Text(body, "refresh_token"), "refresh-me");
  EXPECT_EQ(Text(body, "scope"), "repository:a:pull repository:b:pull");
  EXPECT_EQ(Text(body, "token_type"), "Bearer");

  const RawResponse wrong = Post("grant_type=password&username=ann&password=guess");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(ErrorCode(wrong), "UNAUTHORIZED");
  EXPECT_EQ(Text(Json(wrong), "error"), "invalid_grant");
}

TEST_F(TokenHandlerTest, AcceptsRefreshAndIdentityTokens) {
  ASSERT_EQ(Post("grant_type=refresh_token&refresh_token=abc%2Bd&scope=repository:a:pull").status, 200);
  EXPECT_EQ(auth_.last_token_request().refresh_token(), "abc+d");
  EXPECT_FALSE(auth_.last_token_request().offline());
  const RawResponse exchanged = Post(
      "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=x.y.z&"
      "subject_token_type=urn:ietf:params:oauth:token-type:id_token&scope=repository:a:pull");
  ASSERT_EQ(exchanged.status, 200);
  EXPECT_EQ(auth_.last_token_request().identity_token(), "x.y.z");
  EXPECT_EQ(Text(Json(exchanged), "issued_token_type"), "urn:ietf:params:oauth:token-type:access_token");
}

TEST_F(TokenHandlerTest, RefusesInvalidForms) {
  for (const std::string& form :
       {std::string(), std::string("grant_type=password"), std::string("grant_type=password&username=ann"),
        std::string("grant_type=password&password=x"), std::string("grant_type=implicit"),
        std::string("grant_type=refresh_token"), std::string("username=ann&password=secret"),
        std::string("grant_type=password&grant_type=password&username=ann&password=secret"),
        std::string("grant_type=password&username=ann&username=bob&password=secret"),
        std::string("grant_type=password&username=%zz&password=secret"),
        std::string("grant_type=password&username=%ff&password=secret"),
        std::string("grant_type=urn:ietf:params:oauth:grant-type:token-exchange"),
        std::string("grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token=x&subject_token_type=y"),
        "grant_type=password&username=" + std::string(300, 'a') + "&password=secret",
        "grant_type=password&username=ann&password=secret&scope=" + std::string(2000, 'a')}) {
    const RawResponse response = Post(form);
    EXPECT_EQ(response.status, 400) << form;
    EXPECT_EQ(Text(Json(response), "error"), "invalid_request") << form;
    EXPECT_EQ(ErrorCode(response), "UNSUPPORTED") << form;
    EXPECT_FALSE(absl::StrContains(response.body, "secret")) << form;
  }
  const char good[] = "grant_type=password&username=ann&password=secret";
  EXPECT_EQ(registry_.Call("POST", "/token", good).status, 400);
  EXPECT_EQ(registry_.Call("POST", "/token", good, "Content-Type: application/json\r\n").status, 400);
  EXPECT_EQ(registry_.Call("POST", "/token", good, "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n")
                .status,
            200);
  EXPECT_EQ(Post(std::string(270'000, 'a')).status, 413);
  EXPECT_EQ(registry_.CallChunked("POST", "/token", std::string(270'000, 'a'), kForm).status, 413);
}

TEST_F(TokenHandlerTest, RefusesCredentialsInTheQuery) {
  for (const char* name : {"password", "username", "refresh_token", "access_token", "subject_token"}) {
    const std::string target = absl::StrCat("/token?", name, "=top-secret");
    const RawResponse response = registry_.Call("GET", target);
    EXPECT_EQ(response.status, 400) << name;
    EXPECT_FALSE(absl::StrContains(response.body, "top-secret")) << name;
    EXPECT_EQ(registry_.Call("POST", target, "grant_type=password&username=ann&password=secret", kForm).status, 400);
  }
}

TEST_F(TokenHandlerTest, RefusesOtherAuthorizations) {
  for (const char* field :
       {"Authorization: Bearer abc\r\n", "Authorization: Basic\r\n", "Authorization: Basic !\r\n",
        "Authorization: Basic YW5u\r\n", "Authorization: Basic /zo=\r\n", "Authorization: Digest abc\r\n",
        "Authorization: Basic YTpi\r\nAuthorization: Basic YTpi\r\n"}) {
    EXPECT_EQ(registry_.Call("GET", "/token", "", field).status, 400) << field;
  }
}

TEST_F(TokenHandlerTest, ReportsThatTheAuthServiceIsBusyOrDown) {
  auth_.FailWith(OciError(OciErrorCode::kTooManyRequests, "too many attempts"));
  const RawResponse busy = registry_.Call("GET", "/token", "", Basic("ann", "secret"));
  EXPECT_EQ(busy.status, 429);
  EXPECT_EQ(ErrorCode(busy), "TOOMANYREQUESTS");
  EXPECT_EQ(busy.Field("retry-after"), "1");
  auth_.FailWith(absl::UnavailableError("down"));
  const RawResponse down = Post("grant_type=password&username=ann&password=secret");
  EXPECT_EQ(down.status, 503);
  EXPECT_EQ(down.Field("retry-after"), "1");
  EXPECT_FALSE(Json(down).contains("error"));
}

}  // namespace
}  // namespace entrepot::gateway::api
