#include "gateway/api/auth/access_control.h"

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"
#include "gateway/api/testing/test_auth.h"
#include "gateway/api/testing/test_registry.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"
#include "services/runtime/log/limited_log.h"
#include "services/status/oci_error.h"

namespace entrepot::gateway::api {
namespace {

constexpr char kManifest[] = "/v2/team/app/manifests/latest";
constexpr char kPull[] = "repository:team/app:pull";
constexpr char kPullPush[] = "repository:team/app:pull,push";

class AccessControlTest : public testing::Test {
 protected:
  AccessControlTest() {
    registry_.AddToRequests(Bearer(auth_.Token("pusher", kPullPush)));
    registry_.PushImage("team/app", "latest");
    registry_.AddToRequests("");
  }

  RawResponse Get(absl::string_view token, absl::string_view target = kManifest) {
    return registry_.Call("GET", target, "", Bearer(token));
  }

  void ExpectInvalid(absl::string_view token, absl::string_view why) {
    const RawResponse response = Get(token);
    EXPECT_EQ(response.status, 401) << why;
    EXPECT_TRUE(absl::EndsWith(response.Field("www-authenticate"), ",error=\"invalid_token\"")) << why;
  }

  double Metric(absl::string_view name, absl::string_view label) {
    for (const auto& family : registry_.metrics().Collect()) {
      if (family.name != std::string(name)) continue;
      for (const auto& metric : family.metric) {
        if (metric.label.at(0).value == std::string(label)) return metric.counter.value;
      }
    }
    return -1;
  }

  TestAuth auth_;
  TestRegistry registry_{{}, auth_.accounts()};
};

// The claims of a token as JSON.
std::string ClaimsOf(absl::string_view token) {
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  std::string claims;
  EXPECT_TRUE(absl::WebSafeBase64Unescape(parts.at(1), &claims));
  return claims;
}

std::string Signed(absl::string_view header, absl::string_view claims, absl::string_view signature) {
  return absl::StrCat(absl::WebSafeBase64Escape(header), ".", absl::WebSafeBase64Escape(claims), ".",
                      absl::WebSafeBase64Escape(signature));
}

std::string Sha256(absl::string_view bytes) {
  const std::string text = ComputeDigest(DigestAlgorithm::kSha256, bytes).ToString();
  return absl::HexStringToBytes(text.substr(text.find(':') + 1));
}

std::string HmacSha256(absl::string_view key, absl::string_view bytes) {
  std::string block = key.size() > 64 ? Sha256(key) : std::string(key);
  block.resize(64, '\0');
  std::string inner = block;
  std::string outer = block;
  for (char& c : inner) c ^= 0x36;
  for (char& c : outer) c ^= 0x5c;
  return Sha256(outer + Sha256(absl::StrCat(inner, bytes)));
}

TEST_F(AccessControlTest, ChallengesWithoutAnErrorIfNoTokenWasSent) {
  for (const char* target : {"/v2/", "/v2"}) {
    const RawResponse response = registry_.Call("GET", target);
    EXPECT_EQ(response.status, 401);
    EXPECT_EQ(response.Field("www-authenticate"), "Bearer realm=\"http://localhost/token\",service=\"test-service\"");
    EXPECT_EQ(response.Field("docker-distribution-api-version"), "registry/2.0");
  }
  // A password is no token; the challenge tells the client where to send it.
  const RawResponse basic = registry_.Call("GET", "/v2/", "", Basic("ann", "secret"));
  EXPECT_EQ(basic.status, 401);
  EXPECT_FALSE(absl::StrContains(basic.Field("www-authenticate"), "error="));
  EXPECT_EQ(Metric("entrepot_authorization_denied_total", "missing_token"), 3);
}

TEST_F(AccessControlTest, ReportsTheRequiredAndTheGrantedAccess) {
  const auto detail = [](const RawResponse& response) {
    return std::string(boost::json::parse(response.body).at("errors").at(0).at("detail").as_string());
  };
  EXPECT_EQ(detail(registry_.Call("GET", kManifest)), "needed: pull on repository team/app; no token was sent");
  EXPECT_EQ(detail(Get("nonsense")), "needed: pull on repository team/app; the token was not accepted");
  EXPECT_EQ(detail(registry_.Call("PUT", kManifest, "{}", Bearer(auth_.Token("ann", kPull)))),
            "needed: push on repository team/app; the token grants pull there");
  EXPECT_EQ(detail(Get(auth_.Token("ann", "repository:a:*"))),
            "needed: pull on repository team/app; the token grants nothing there");
  EXPECT_EQ(detail(Get(auth_.Token("ann", kPull), "/v2/_catalog")),
            "needed: registry:catalog:*; the token does not grant it");
}

// A token of the account that was requested for pull and push, of which only pull is granted.
token::RegistryClaims PushInVain(const TestAuth& auth, absl::string_view account) {
  token::RegistryClaims claims = auth.Claims(account, kPull);
  claims.denied = {{AccessScope::Parse("repository:team/app:push").value(), "rule 1 (\"a\") allows only pull"}};
  return claims;
}

TEST_F(AccessControlTest, ExplainsADenialToAnAccountThatAskedInVain) {
  const auto push = [&](const token::RegistryClaims& claims, absl::string_view method = "PUT") {
    return registry_.Call(method, kManifest, "{}", Bearer(auth_.Sign(claims)));
  };
  const RawResponse response = push(PushInVain(auth_, "ann"));
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.Field("www-authenticate"), "(none)");
  const boost::json::value error = boost::json::parse(response.body).at("errors").at(0);
  EXPECT_EQ(error.at("code").as_string(), "DENIED");
  EXPECT_EQ(error.at("message").as_string(),
            "account \"ann\" may not push to \"team/app\": rule 1 (\"a\") allows only pull");
  EXPECT_EQ(error.at("detail").as_string(), "needed: push on repository team/app; the token grants pull there");
  EXPECT_EQ(Metric("entrepot_authorization_denied_total", "insufficient_scope"), 1);
  // Not what it did not ask for, and not without an account.
  EXPECT_EQ(push(PushInVain(auth_, "ann"), "DELETE").status, 401);
  EXPECT_EQ(push(PushInVain(auth_, "")).status, 401);
  EXPECT_EQ(push(auth_.Claims("ann", kPull)).status, 401);
}

TEST_F(AccessControlTest, ChallengesAClientWhoseTokenMayBeOlderThanThePolicy) {
  const std::string token = auth_.Sign(PushInVain(auth_, "ann"));
  const auto push = [&] { return registry_.Call("PUT", kManifest, "{}", Bearer(token)); };
  auth_.clock().Advance(absl::Seconds(59));
  EXPECT_EQ(push().status, 403);
  auth_.clock().Advance(absl::Seconds(1));
  const RawResponse response = push();
  EXPECT_EQ(response.status, 401);
  EXPECT_TRUE(absl::EndsWith(response.Field("www-authenticate"),
                             ",scope=\"repository:team/app:pull,push\",error=\"insufficient_scope\""));
}

TEST_F(AccessControlTest, ADenialOfHeadHasItsReasonInTheChallenge) {
  token::RegistryClaims claims = auth_.Claims("ann", "repository:team/app:");
  claims.denied = {{AccessScope::Parse("repository:team/app:pull").value(), "no rule of policy.yaml allows it"}};
  const RawResponse response = registry_.Call("HEAD", kManifest, "", Bearer(auth_.Sign(claims)));
  EXPECT_EQ(response.status, 401);
  EXPECT_TRUE(absl::EndsWith(response.Field("www-authenticate"),
                             ",error=\"insufficient_scope\",error_description=\"account 'ann' may not pull from "
                             "'team/app': no rule of policy.yaml allows it\""))
      << response.Field("www-authenticate");
}

TEST_F(AccessControlTest, AcceptsAStarForEveryAction) {
  const std::string token = auth_.Token("ann", "repository:team/app:*");
  EXPECT_EQ(Get(token).status, 200);
  EXPECT_EQ(registry_.Call("DELETE", kManifest, "", Bearer(token)).status, 202);
}

TEST_F(AccessControlTest, RefusesTokensSignedWithOtherKeys) {
  const std::string good = auth_.Token("ann", kPullPush);
  const std::string claims = ClaimsOf(good);
  const std::string kid = auth_.signing_key().kid();
  const auto header = [&](absl::string_view alg, absl::string_view extra = "") {
    return absl::StrCat(R"({"alg":")", alg, R"(","typ":"JWT","kid":")", kid, "\"", extra, "}");
  };
  ASSERT_EQ(Get(good).status, 200);
  ExpectInvalid(Signed(header("none"), claims, ""), "alg none");
  ExpectInvalid(Signed(header("None"), claims, "x"), "alg None");
  const std::string hs256 =
      absl::StrCat(absl::WebSafeBase64Escape(header("HS256")), ".", absl::WebSafeBase64Escape(claims));
  const std::string jwk = boost::json::serialize(auth_.signing_key().verification_key().ToJwk());
  ExpectInvalid(absl::StrCat(hs256, ".", absl::WebSafeBase64Escape(HmacSha256(jwk, hs256))), "HS256, public key");
  // CVE-2025-24976: a key sent with the token.
  const token::SigningKey foreign = token::SigningKey::Generate(token::SignatureAlgorithm::kEs256);
  const std::string embedded =
      absl::StrCat(absl::WebSafeBase64Escape(header(
                       "ES256", absl::StrCat(",\"jwk\":", boost::json::serialize(foreign.verification_key().ToJwk())))),
                   ".", absl::WebSafeBase64Escape(claims));
  ExpectInvalid(absl::StrCat(embedded, ".", absl::WebSafeBase64Escape(foreign.Sign(embedded))), "foreign jwk");
  ExpectInvalid(token::IssueRegistryToken(foreign, auth_.Claims("ann", kPullPush)), "unknown key");
  for (const char* path : {"../../etc/passwd", "/dev/null", "%2e%2e/key", "' OR 1=1 --"}) {
    ExpectInvalid(Signed(absl::StrCat(R"({"alg":"ES256","typ":"JWT","kid":")", path, R"("})"), claims, "x"), path);
  }
  ExpectInvalid("a.b.c", "no token");
  ExpectInvalid(good.substr(0, good.size() - 4), "cut off");
}

TEST_F(AccessControlTest, RefusesTokensWithWrongTimesIssuersAndAudiences) {
  const auto spoilt = [&](auto spoil) {
    token::RegistryClaims claims = auth_.Claims("ann", kPull);
    spoil(claims);
    return auth_.Sign(claims);
  };
  EXPECT_EQ(Get(spoilt([](auto& c) {
              c.expires_at = c.issued_at - absl::Seconds(59);
              c.issued_at -= absl::Hours(1);
              c.not_before = c.issued_at;
            })).status,
            200);
  ExpectInvalid(spoilt([](auto& c) {
                  c.expires_at = c.issued_at - absl::Seconds(61);
                  c.issued_at -= absl::Hours(1);
                  c.not_before = c.issued_at;
                }),
                "exp");
  EXPECT_EQ(Get(spoilt([](auto& c) { c.not_before += absl::Seconds(59); })).status, 200);
  ExpectInvalid(spoilt([](auto& c) { c.not_before += absl::Seconds(61); }), "nbf");
  ExpectInvalid(spoilt([](auto& c) { c.issuer = "another"; }), "iss");
  ExpectInvalid(spoilt([](auto& c) { c.audience = "another"; }), "aud");
  // Without exp.
  const std::string kid = auth_.signing_key().kid();
  boost::json::object claims = boost::json::parse(ClaimsOf(auth_.Token("ann", kPull))).as_object();
  claims.erase("exp");
  const std::string endless =
      absl::StrCat(absl::WebSafeBase64Escape(absl::StrCat(R"({"alg":"ES256","typ":"JWT","kid":")", kid, R"("})")), ".",
                   absl::WebSafeBase64Escape(boost::json::serialize(claims)));
  ExpectInvalid(absl::StrCat(endless, ".", absl::WebSafeBase64Escape(auth_.signing_key().Sign(endless))), "no exp");
}

TEST_F(AccessControlTest, RefusesACachedTokenAfterItExpires) {
  const std::string token = auth_.Token("ann", kPull);
  EXPECT_EQ(Get(token).status, 200);
  auth_.clock().Advance(absl::Minutes(6) - absl::Seconds(1));
  EXPECT_EQ(Get(token).status, 200);
  auth_.clock().Advance(absl::Seconds(2));
  ExpectInvalid(token, "expired since it was verified");
}

TEST_F(AccessControlTest, VerifiesATokenOnceAndFetchesKeysOnce) {
  const std::string token = auth_.Token("ann", kPull);
  const double cached = Metric("entrepot_token_verifications_total", "cached");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Get(token).status, 200);
  EXPECT_EQ(Metric("entrepot_token_verifications_total", "cached"), cached + 9);
  EXPECT_EQ(auth_.verification_fetches(), 1);
  // One of them is the pusher's.
  EXPECT_EQ(Metric("entrepot_token_verifications_total", "verified"), 2);
  EXPECT_EQ(Metric("entrepot_token_verifications_total", "refused"), 0);
  Get("nonsense");
  EXPECT_EQ(Metric("entrepot_token_verifications_total", "refused"), 1);
}

TEST_F(AccessControlTest, AcceptsTokensOfNewAndOfPublishedOldKeys) {
  const std::string before = auth_.Token("ann", kPull);
  EXPECT_EQ(Get(before).status, 200);
  auth_.RotateKey();
  const std::string after = auth_.Token("ann", kPull);
  EXPECT_EQ(Get(after).status, 200);
  EXPECT_EQ(Get(before).status, 200);
  EXPECT_EQ(auth_.verification_fetches(), 2);
  // The tokens of a withdrawn key become invalid once the new keys are fetched.
  auth_.WithdrawOldKeys();
  auth_.RotateKey();
  EXPECT_EQ(Get(auth_.Token("ann", kPull)).status, 200);
  ExpectInvalid(before, "its key was withdrawn");
  EXPECT_EQ(Get(after).status, 200);
}

TEST_F(AccessControlTest, RefreshesTheKeysPeriodically) {
  const std::string token = auth_.Token("ann", "repository:team/app:*");
  EXPECT_EQ(Get(token).status, 200);
  const int fetches = auth_.verification_fetches();
  auth_.clock().Advance(absl::Minutes(2));
  EXPECT_EQ(Get(token).status, 200);
  // The refresh runs in the background, on the thread of its request.
  for (int i = 0; i < 100 && auth_.verification_fetches() == fetches; ++i) Get(token);
  EXPECT_EQ(auth_.verification_fetches(), fetches + 1);
}

TEST_F(AccessControlTest, KeepsItsKeysIfTheAuthServiceFails) {
  const std::string token = auth_.Token("ann", kPull);
  auth_.FailWith(absl::UnavailableError("down"));
  auth_.clock().Advance(absl::Minutes(2));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Get(token).status, 200);
  // An unknown key may be new, which cannot be checked now.
  const token::SigningKey foreign = token::SigningKey::Generate(token::SignatureAlgorithm::kEs256);
  const std::string unknown = token::IssueRegistryToken(foreign, auth_.Claims("ann", kPull));
  EXPECT_EQ(Get(unknown).status, 503);
  auth_.FailWith(absl::OkStatus());
  ExpectInvalid(unknown, "unknown key");
}

TEST(AccessControlStartTest, IsUnavailableUntilTheKeysAreFetched) {
  TestAuth auth;
  TestRegistry registry({}, auth.accounts());
  auth.FailWith(absl::UnavailableError("down"));
  const RawResponse response = registry.Call("GET", "/v2/");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.Field("retry-after"), "1");
  EXPECT_EQ(registry.Call("GET", "/v2/", "", Bearer(auth.Token("ann", ""))).status, 503);
  auth.FailWith(absl::OkStatus());
  EXPECT_EQ(registry.Call("GET", "/v2/").status, 401);
  EXPECT_EQ(registry.Call("GET", "/v2/", "", Bearer(auth.Token("ann", ""))).status, 200);
}

TEST(AccessControlFloodTest, BoundsTheFetchesThatForgedKeysCause) {
  TestAuth auth;
  RegistryAccounts accounts = auth.accounts();
  accounts.keys.fetch_interval_min = absl::Milliseconds(200);
  TestRegistry registry({}, accounts);
  EXPECT_EQ(registry.Call("GET", "/v2/").status, 401);
  std::vector<std::thread> clients;
  for (int i = 0; i < 16; ++i) {
    clients.emplace_back([&] {
      const token::SigningKey forged = token::SigningKey::Generate(token::SignatureAlgorithm::kEs256);
      const std::string token = token::IssueRegistryToken(forged, auth.Claims("ann", ""));
      EXPECT_EQ(registry.Call("GET", "/v2/", "", Bearer(token)).status, 401);
    });
  }
  for (std::thread& client : clients) client.join();
  // All came at the same time, so the fetch under way and the next one serve all of them.
  EXPECT_LE(auth.verification_fetches(), 4);
}

TEST_F(AccessControlTest, BindsAScopeToItsRepositoryExactly) {
  for (const char* scope : {"repository:team:*", "repository:team/app/sub:*", "repository:team/ap:*",
                            "repository:team/apps:*", "repository:Team/app:*", "registry:team/app:*"}) {
    EXPECT_EQ(Get(auth_.Token("ann", scope)).status, 401) << scope;
  }
  const std::string token = auth_.Token("ann", kPull);
  for (const char* target :
       {"/v2/team/manifests/latest", "/v2/team/app/sub/manifests/latest", "/v2/team/app/manifests/manifests/latest"}) {
    EXPECT_EQ(Get(token, target).status, 401) << target;
  }
}

TEST_F(AccessControlTest, RoutesAndAuthorisesTheSamePath) {
  const std::string token = auth_.Token("ann", kPull);
  // The path is decoded once, for routing and for authorization.
  EXPECT_EQ(Get(token, "/v2/team%2Fapp/manifests/latest").status, 200);
  EXPECT_EQ(Get(token, "/v2/te%61m/app/manifests/l%61test").status, 200);
  EXPECT_EQ(registry_.Call("GET", "/v2/team%2Fapp/manifests/latest").status, 401);
  EXPECT_EQ(registry_.Call("GET", "http://elsewhere/v2/team/app/manifests/latest").status, 401);
  EXPECT_EQ(Get(token, "http://elsewhere/v2/team/app/manifests/latest").status, 200);
  // No path avoids the check: these are unknown or invalid for every caller.
  for (const char* target :
       {"//v2/team/app/manifests/latest", "/v2//team/app/manifests/latest", "/v2/team//app/manifests/latest",
        "/v2/team/app/manifests/latest/", "/v2/team/app//manifests/latest"}) {
    EXPECT_EQ(registry_.Call("GET", target).status, 404) << target;
    EXPECT_EQ(Get(token, target).status, 404) << target;
  }
  for (const char* target : {"/v2/team/./app/manifests/latest", "/v2/other/../team/app/manifests/latest",
                             "/v2/other/%2e%2e/team/app/manifests/latest", "/v2/team%252Fapp/manifests/latest"}) {
    EXPECT_EQ(registry_.Call("GET", target).status, 400) << target;
    EXPECT_EQ(Get(token, target).status, 400) << target;
  }
}

TEST_F(AccessControlTest, AcceptsOneAuthorizationFieldOnly) {
  const std::string good = Bearer(auth_.Token("ann", kPull));
  EXPECT_EQ(registry_.Call("GET", kManifest, "", good + good).status, 401);
  EXPECT_EQ(registry_.Call("GET", kManifest, "", Basic("a", "b") + good).status, 401);
  EXPECT_EQ(registry_.Call("GET", kManifest, "", "Authorization: Bearer\r\n").status, 401);
  EXPECT_EQ(registry_.Call("GET", kManifest, "", "Authorization: Bearer a b\r\n").status, 401);
  EXPECT_EQ(registry_.Call("GET", absl::StrCat(kManifest, "?access_token=", auth_.Token("ann", kPull))).status, 401);
  const std::string lower = absl::StrCat("authorization: bearer ", auth_.Token("ann", kPull), "\r\n");
  EXPECT_EQ(registry_.Call("GET", kManifest, "", lower).status, 200);
}

TEST_F(AccessControlTest, RespondsBeforeItReadsTheBody) {
  http::testing::RawClient client(registry_.port());
  client.Send(absl::StrCat("PUT ", kManifest, " HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n",
                           "Content-Length: 1000000\r\n", Bearer(auth_.Token("ann", kPull)), "\r\n"));
  const auto response = client.Receive();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 401);
}

TEST_F(AccessControlTest, ChallengesWithTheAddressThatTheClientUsed) {
  http::testing::RawClient client(registry_.port());
  client.Send(
      "GET /v2/ HTTP/1.1\r\nHost: registry.example:8443\r\nX-Forwarded-Host: evil\r\n"
      "X-Forwarded-Proto: https\r\n\r\n");
  EXPECT_EQ(client.Receive()->Field("www-authenticate"),
            "Bearer realm=\"http://registry.example:8443/token\",service=\"test-service\"");
  config::v1::PublicEndpoint listen;
  listen.set_external_url("https://r.example/");
  TestRegistry named({}, auth_.accounts(), listen);
  EXPECT_EQ(named.Call("GET", "/v2/").Field("www-authenticate"),
            "Bearer realm=\"https://r.example/token\",service=\"test-service\"");
}

TEST_F(AccessControlTest, WarnsOnceOfAPlainRealmBehindATlsProxy) {
  // Other tests may have caused the line within its interval.
  runtime::FlushLimitedLog();
  const auto logged = [this](absl::string_view fields) {
    ::testing::internal::CaptureStderr();
    registry_.Call("GET", "/v2/", "", fields);
    const std::string log = ::testing::internal::GetCapturedStderr();
    if (!absl::StrContains(log, "was sent to an http:// realm")) return false;
    EXPECT_TRUE(absl::StrContains(log, "comes from 127.0.0.1, which is not in listen.trusted_proxies")) << log;
    return true;
  };
  EXPECT_FALSE(logged(""));
  EXPECT_FALSE(logged("X-Forwarded-Proto: http\r\n"));
  EXPECT_TRUE(logged("X-Forwarded-Proto: https\r\n"));
  EXPECT_FALSE(logged("X-Forwarded-Proto: https\r\n"));
}

TEST_F(AccessControlTest, WarnsOfATrustedProxyThatSendsNoScheme) {
  config::v1::PublicEndpoint listen;
  listen.add_trusted_proxies("127.0.0.1");
  TestRegistry trusting({}, auth_.accounts(), listen);
  runtime::FlushLimitedLog();
  ::testing::internal::CaptureStderr();
  trusting.Call("GET", "/v2/", "", "X-Forwarded-For: 192.0.2.1\r\n");
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(absl::StrContains(
      log, "comes from one of listen.trusted_proxies, but the header listen.forwarded_header has no scheme"))
      << log;
}

TEST_F(AccessControlTest, DoesNotWarnIfTheUrlIsConfigured) {
  config::v1::PublicEndpoint listen;
  listen.set_external_url("http://r.example");
  TestRegistry named({}, auth_.accounts(), listen);
  ::testing::internal::CaptureStderr();
  named.Call("GET", "/v2/", "", "X-Forwarded-Proto: https\r\n");
  EXPECT_FALSE(absl::StrContains(::testing::internal::GetCapturedStderr(), "realm"));
}

TEST_F(AccessControlTest, AccountRoutesDoNotExistWithoutAccounts) {
  TestRegistry open;
  EXPECT_EQ(open.Call("GET", "/token").status, 404);
  EXPECT_EQ(open.Call("POST", "/token").status, 404);
  EXPECT_EQ(open.Call("PUT", "/token").status, 404);
  EXPECT_EQ(open.Call("GET", "/.well-known/jwks.json").status, 404);
  EXPECT_EQ(open.Call("POST", "/entrepot/v1/administer", "{}").status, 404);
  EXPECT_EQ(open.Call("DELETE", "/entrepot/v1/repositories/a").status, 404);
  EXPECT_EQ(open.Call("GET", "/v2/").status, 200);
  // A registry without accounts ignores tokens.
  EXPECT_EQ(open.Call("GET", "/v2/", "", Bearer("nonsense")).status, 200);
}

TEST_F(AccessControlTest, ServesTheKeySet) {
  const RawResponse response = registry_.Call("GET", "/.well-known/jwks.json");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Field("content-type"), "application/json");
  EXPECT_EQ(response.Field("cache-control"), "public, max-age=60");
  EXPECT_TRUE(absl::StrContains(response.body, auth_.signing_key().kid()));
  EXPECT_FALSE(absl::StrContains(response.body, "\"d\""));
}

TEST(DeletesDisabledTest, RefusesToDeleteContent) {
  TestAuth auth;
  config::v1::Limits limits;
  limits.set_deletes_disabled(true);
  TestRegistry registry(limits, auth.accounts());
  const std::string token = Bearer(auth.Token("ann", "repository:a:*"));
  const std::string digest = ComputeDigest(DigestAlgorithm::kSha256, "{}").ToString();
  for (const std::string& target :
       {std::string("/v2/a/manifests/latest"), "/v2/a/manifests/" + digest, "/v2/a/blobs/" + digest}) {
    const RawResponse response = registry.Call("DELETE", target, "", token);
    EXPECT_EQ(response.status, 405) << target;
    EXPECT_EQ(ErrorCode(response), "UNSUPPORTED") << target;
    EXPECT_FALSE(absl::StrContains(response.Field("allow"), "DELETE")) << target;
    EXPECT_TRUE(absl::StartsWith(response.Field("allow"), "GET, HEAD")) << target;
  }
  // Cancelling an upload deletes no content.
  registry.AddToRequests(token);
  EXPECT_EQ(registry.Call("DELETE", registry.StartUpload("a")).status, 204);
}

}  // namespace
}  // namespace entrepot::gateway::api
