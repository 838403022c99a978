#include "services/upstream/login/realm_rule.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::upstream {
namespace {

using Use = RealmRule::Use;

Use UseOf(const std::string& upstream, const std::string& realm, std::vector<std::string> realm_hosts = {}) {
  return RealmRule(*outbound::ParseUrl(upstream), std::move(realm_hosts)).For(*outbound::ParseUrl(realm));
}

TEST(RealmRuleTest, FindsRegistrableDomains) {
  EXPECT_EQ(RegistrableDomain("auth.docker.io"), "docker.io");
  EXPECT_EQ(RegistrableDomain("docker.io"), "docker.io");
  EXPECT_EQ(RegistrableDomain("a.b.example.co.uk"), "example.co.uk");
  for (const char* host : {"", "localhost", "co.uk", "127.0.0.1", "::1", "[::1]", "github.io", "B\xc3\xbc.example"}) {
    EXPECT_EQ(RegistrableDomain(host), std::nullopt) << host;
  }
}

TEST(RealmRuleTest, GivesCredentialsToTheOwnDomain) {
  EXPECT_EQ(UseOf("https://registry-1.docker.io", "https://auth.docker.io/token"), Use::kCredentials);
  EXPECT_EQ(UseOf("https://ghcr.io", "https://ghcr.io/token"), Use::kCredentials);
  EXPECT_EQ(UseOf("https://registry.gitlab.com", "https://gitlab.com/jwt/auth"), Use::kCredentials);
  EXPECT_EQ(UseOf("https://r.example:5000", "https://r.example/token"), Use::kCredentials);
  EXPECT_EQ(UseOf("http://127.0.0.1:5000", "http://127.0.0.1:5001/token"), Use::kCredentials);
}

TEST(RealmRuleTest, GivesNoCredentialsToOtherOwners) {
  EXPECT_EQ(UseOf("https://registry-1.docker.io", "https://auth.docker.io.evil.example/token"), Use::kAnonymous);
  EXPECT_EQ(UseOf("https://registry-1.docker.io", "https://evil.io/token"), Use::kAnonymous);
  EXPECT_EQ(UseOf("https://a.github.io", "https://b.github.io/token"), Use::kAnonymous);
  EXPECT_EQ(UseOf("https://localhost", "https://other.localhost/token"), Use::kAnonymous);
  EXPECT_EQ(UseOf("https://10.0.0.1", "https://11.0.0.1/token"), Use::kAnonymous);
  EXPECT_EQ(UseOf("https://[2001:db8::1]", "https://[2001:db8::2]/token"), Use::kAnonymous);
}

TEST(RealmRuleTest, TakesCustomersOfACloudForDifferentOwners) {
  EXPECT_EQ(UseOf("https://a.azurecr.io", "https://b.azurecr.io/oauth2/token"), Use::kAnonymous);
  EXPECT_EQ(UseOf("https://a.azurecr.io", "https://a.azurecr.io/oauth2/token"), Use::kCredentials);
  EXPECT_EQ(UseOf("https://a.jfrog.io", "https://b.jfrog.io/token"), Use::kAnonymous);
  EXPECT_EQ(UseOf("https://europe-docker.pkg.dev", "https://us-docker.pkg.dev/v2/token"), Use::kAnonymous);
  EXPECT_EQ(UseOf("https://1.dkr.ecr.eu-west-1.amazonaws.com", "https://2.dkr.ecr.eu-west-1.amazonaws.com/"),
            Use::kAnonymous);
}

TEST(RealmRuleTest, GivesCredentialsToHostsThatTheFileNames) {
  EXPECT_EQ(UseOf("https://r.example", "https://login.test/token", {"LOGIN.test"}), Use::kCredentials);
  EXPECT_EQ(UseOf("https://r.example", "https://login.test:444/token", {"login.test:444"}), Use::kCredentials);
  EXPECT_EQ(UseOf("https://r.example", "https://login.test/token", {"login.test:443"}), Use::kCredentials);
  EXPECT_EQ(UseOf("https://r.example", "https://login.test:5443/token", {"login.test:443"}), Use::kAnonymous);
  EXPECT_EQ(UseOf("https://r.example", "https://a.login.test/token", {"login.test"}), Use::kAnonymous);
  EXPECT_EQ(UseOf("https://r.example", "https://[2001:db8::2]/token", {"[2001:db8::2]"}), Use::kCredentials);
}

TEST(RealmRuleTest, KnowsTokenServicesOfTheSameOwner) {
  EXPECT_EQ(UseOf("https://nvcr.io", "https://authn.nvidia.com/token"), Use::kCredentials);
  EXPECT_EQ(UseOf("https://r.example", "https://authn.nvidia.com/token"), Use::kAnonymous);
}

TEST(RealmRuleTest, RefusesHttpForAnUpstreamWithHttps) {
  EXPECT_EQ(UseOf("https://r.example", "http://r.example/token"), Use::kRefused);
  EXPECT_EQ(UseOf("https://r.example", "http://login.test/token", {"login.test"}), Use::kRefused);
  EXPECT_EQ(UseOf("http://r.example", "http://r.example/token"), Use::kCredentials);
  EXPECT_EQ(UseOf("https://r.example", "ftp://r.example/token"), Use::kRefused);
}

TEST(RealmRuleTest, RefusesAUserInTheRealm) {
  EXPECT_EQ(UseOf("https://r.example", "https://user@r.example/token"), Use::kRefused);
}

}  // namespace
}  // namespace entrepot::upstream
