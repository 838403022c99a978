#include "services/auth/identity/identity_providers.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/runtime/tls/test_certificates.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"
#include "services/token/json_web_token.h"
#include "services/token/signing_key.h"

namespace entrepot::auth {
namespace {

namespace json = boost::json;

using config::v1::IdentityProvider;
using config::v1::Policy;
using policy::Action;
using testing::HasSubstr;
using testing::SizeIs;
using token::SignatureAlgorithm;
using token::SigningKey;

constexpr char kPolicy[] = R"pb(
  identity_providers {
    name: "forge"
    issuer: "https://forge.example"
    audience: "registry.example"
    key_set_file: "forge"
    rules {
      claims { key: "repository" value: "driftwood/*" }
      claims { key: "ref" value: "refs/heads/main" }
      repositories: "driftwood/**"
      actions: "pull"
      actions: "push"
    }
    rules {
      claims { key: "repository" value: "driftwood/web" }
      repositories: "scratch/**"
      actions: "*"
    }
  }
  identity_providers {
    name: "cluster"
    issuer: "https://cluster.example"
    audience: "registry.example"
    key_set_file: "cluster"
    rules {
      claims { key: "kubernetes.io.namespace" value: "prod" }
      repositories: "driftwood/web"
      actions: "pull"
    }
  }
)pb";

// A key set that tests change.
class TestSource : public KeySetSource {
 public:
  absl::StatusOr<Keys> Get() override { return now; }
  absl::StatusOr<Keys> GetNewer() override {
    ++asked_again;
    return newer;
  }
  void Set(const SigningKey& key) { now = newer = Of(key); }
  static Keys Of(const SigningKey& key) {
    return std::make_shared<const token::KeySet>(std::vector<token::VerificationKey>{key.verification_key()});
  }

  absl::StatusOr<Keys> now = absl::UnavailableError("none yet");
  absl::StatusOr<Keys> newer = absl::UnavailableError("none yet");
  int asked_again = 0;
};

class IdentityProvidersTest : public testing::Test {
 protected:
  IdentityProvidersTest() {
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(kPolicy, &policy_));
    for (const char* const name : {"forge", "cluster"}) sources_[name] = std::make_shared<TestSource>();
    sources_["forge"]->Set(forge_);
    sources_["cluster"]->Set(cluster_);
  }

  // The claims of a token for a CI job.
  json::object Job() {
    const int64_t now = absl::ToUnixSeconds(clock_.Now());
    return {{"iss", "https://forge.example"},
            {"sub", "repo:driftwood/web:ref:refs/heads/main"},
            {"aud", "registry.example"},
            {"exp", now + 300},
            {"iat", now},
            {"repository", "driftwood/web"},
            {"ref", "refs/heads/main"}};
  }
  absl::StatusOr<WorkloadIdentity> Verify(const json::object& claims) {
    return providers_.Verify(policy_, token::SignClaims(forge_, claims));
  }
  absl::StatusOr<WorkloadIdentity> VerifyWith(const std::string& name, const json::value& value) {
    json::object claims = Job();
    claims[name] = value;
    return Verify(claims);
  }

  // Generating an RSA key takes a second.
  static const SigningKey& ClusterKey() {
    static const auto* const key = new SigningKey(SigningKey::Generate(SignatureAlgorithm::kRs256));
    return *key;
  }

  const SigningKey forge_ = SigningKey::Generate(SignatureAlgorithm::kEs256);
  const SigningKey& cluster_ = ClusterKey();
  FakeClock clock_;
  Policy policy_;
  std::map<std::string, std::shared_ptr<TestSource>> sources_;
  int sources_made_ = 0;
  IdentityProviders providers_{&clock_, [this](const IdentityProvider& provider) {
                                 ++sources_made_;
                                 return sources_.at(provider.key_set_file());
                               }};
};

TEST_F(IdentityProvidersTest, GrantsTheRightsOfEveryRuleThatTheTokenMeets) {
  ASSERT_OK_AND_ASSIGN(const WorkloadIdentity identity, Verify(Job()));
  EXPECT_EQ(identity.account, "oidc+forge:repo:driftwood/web:ref:refs/heads/main");
  EXPECT_EQ(identity.expires_at, clock_.Now() + absl::Minutes(5));
  ASSERT_THAT(identity.grants, SizeIs(2));
  EXPECT_TRUE(identity.grants[0].Allows(Action::kPush, "driftwood/web"));
  EXPECT_FALSE(identity.grants[0].Allows(Action::kDelete, "driftwood/web"));
  EXPECT_FALSE(identity.grants[0].Allows(Action::kPull, "other/web"));
  EXPECT_TRUE(identity.grants[1].Allows(Action::kDelete, "scratch/a"));

  ASSERT_OK_AND_ASSIGN(const WorkloadIdentity other, VerifyWith("repository", "driftwood/api"));
  EXPECT_THAT(other.grants, SizeIs(1));
}

TEST_F(IdentityProvidersTest, ReadsClaimsWithinClaims) {
  const int64_t now = absl::ToUnixSeconds(clock_.Now());
  json::object claims = {{"iss", "https://cluster.example"},
                         {"sub", "system:serviceaccount:prod:puller"},
                         {"aud", json::array{"https://cluster.example", "registry.example"}},
                         {"exp", now + 3600},
                         {"nbf", now},
                         {"kubernetes.io", {{"namespace", "prod"}}}};
  ASSERT_OK_AND_ASSIGN(const WorkloadIdentity identity,
                       providers_.Verify(policy_, token::SignClaims(cluster_, claims)));
  EXPECT_EQ(identity.account, "oidc+cluster:system:serviceaccount:prod:puller");
  claims["kubernetes.io"].as_object()["namespace"] = "dev";
  EXPECT_THAT(providers_.Verify(policy_, token::SignClaims(cluster_, claims)), IsOciError(OciErrorCode::kUnauthorized));
}

TEST_F(IdentityProvidersTest, RefusesTokensThatMeetNoRule) {
  for (const char* const value : {"stranger/web", "", "x/driftwood/web", "driftwood"}) {
    const auto identity = VerifyWith("repository", value);
    EXPECT_THAT(identity, IsOciError(OciErrorCode::kUnauthorized)) << value;
    EXPECT_THAT(std::string(identity.status().message()), HasSubstr("meets no rule")) << value;
  }
  json::object claims = Job();
  claims.erase("repository");
  EXPECT_THAT(Verify(claims), IsOciError(OciErrorCode::kUnauthorized));
}

struct Changed {
  std::string name;
  json::value value;
  std::string problem;
};

TEST_F(IdentityProvidersTest, ChecksEveryClaim) {
  const int64_t now = absl::ToUnixSeconds(clock_.Now());
  const Changed rows[] = {
      {"iss", "https://forge.example/", "not an identity provider of this registry"},
      {"iss", "https://FORGE.example", "not an identity provider of this registry"},
      {"iss", "", "not an identity provider of this registry"},
      {"iss", nullptr, "iss that is not a string"},
      {"iss", "https://cluster.example", "a key that its issuer does not publish"},
      {"aud", "other.example", "not for the audience"},
      {"aud", "registry.example.evil", "not for the audience"},
      {"aud", json::array{"other.example"}, "not for the audience"},
      {"aud", json::array(), "not for the audience"},
      {"aud", json::array{1}, "not for the audience"},
      {"aud", json::object{{"registry.example", 1}}, "not for the audience"},
      {"exp", now - 60, "expired"},
      {"exp", static_cast<double>(now) - 60.5, "expired"},
      {"exp", nullptr, "exp that is not a time"},
      {"nbf", now + 61, "not valid yet"},
      {"iat", now + 61, "issued in the future"},
      {"sub", "", "empty subject"},
      {"sub", 1, "sub that is not a string"},
      {"sub", json::string(256, 'a'), "subject that is too long"},
  };
  for (const Changed& row : rows) {
    const auto identity = VerifyWith(row.name, row.value);
    EXPECT_THAT(identity, IsOciError(OciErrorCode::kUnauthorized)) << row.name << " " << json::serialize(row.value);
    EXPECT_THAT(std::string(identity.status().message()), HasSubstr(row.problem))
        << row.name << " " << json::serialize(row.value);
  }
  for (const char* const name : {"iss", "sub", "aud", "exp"}) {
    json::object claims = Job();
    ASSERT_EQ(claims.erase(name), 1u);
    EXPECT_THAT(Verify(claims), IsOciError(OciErrorCode::kUnauthorized)) << name;
  }
  EXPECT_OK(VerifyWith("exp", now - 59));
  EXPECT_OK(VerifyWith("exp", static_cast<double>(now) + 299.75));
  EXPECT_OK(VerifyWith("iat", static_cast<double>(now) + 0.5));
  EXPECT_OK(VerifyWith("nbf", now + 60));
  EXPECT_OK(VerifyWith("aud", json::array{"other.example", "registry.example"}));
}

TEST_F(IdentityProvidersTest, EscapesSubjectsToVisibleAscii) {
  EXPECT_EQ(VerifyWith("sub", "a b%\n\"\xC3\xA9")->account, "oidc+forge:a%20b%25%0A\"%C3%A9");
  EXPECT_EQ(VerifyWith("sub", "a%20b")->account, "oidc+forge:a%2520b");
}

TEST_F(IdentityProvidersTest, ReadsNewerKeysForAnUnknownKid) {
  const SigningKey newer = SigningKey::Generate(SignatureAlgorithm::kEs256);
  EXPECT_THAT(providers_.Verify(policy_, token::SignClaims(newer, Job())), IsOciError(OciErrorCode::kUnauthorized));
  EXPECT_EQ(sources_["forge"]->asked_again, 1);
  sources_["forge"]->newer = TestSource::Of(newer);
  EXPECT_OK(providers_.Verify(policy_, token::SignClaims(newer, Job())));
  ASSERT_OK(Verify(Job()));
  EXPECT_EQ(sources_["forge"]->asked_again, 2);
}

TEST_F(IdentityProvidersTest, DoesNotReadNewerKeysForABadToken) {
  for (const std::string& bad : {std::string("a.b.c"), std::string(), token::SignClaims(forge_, {{"iss", "x"}})}) {
    EXPECT_THAT(providers_.Verify(policy_, bad), IsOciError(OciErrorCode::kUnauthorized));
  }
  EXPECT_EQ(sources_made_, 0);
}

TEST_F(IdentityProvidersTest, TheKeysOfOneProviderDoNotVerifyTokensOfAnother) {
  json::object claims = Job();
  claims["iss"] = "https://cluster.example";
  claims["kubernetes.io"] = {{"namespace", "prod"}};
  EXPECT_THAT(providers_.Verify(policy_, token::SignClaims(forge_, claims)), IsOciError(OciErrorCode::kUnauthorized));
  EXPECT_OK(providers_.Verify(policy_, token::SignClaims(cluster_, claims)));
}

TEST_F(IdentityProvidersTest, IsUnavailableIfTheKeysAre) {
  sources_["forge"]->now = absl::UnavailableError("/etc/secret/path cannot be read");
  const auto identity = Verify(Job());
  EXPECT_THAT(identity, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(identity.status().message(), "the keys of the identity provider forge are not available");
}

TEST_F(IdentityProvidersTest, KeepsSourcesWhenThePolicyChanges) {
  ASSERT_OK(Verify(Job()));
  policy_.mutable_identity_providers(0)->mutable_rules(0)->add_actions("delete");
  ASSERT_OK_AND_ASSIGN(const WorkloadIdentity identity, Verify(Job()));
  EXPECT_TRUE(identity.grants[0].Allows(Action::kDelete, "driftwood/web"));
  EXPECT_EQ(sources_made_, 1);
  EXPECT_THAT(providers_.Verify(Policy(), token::SignClaims(forge_, Job())), IsOciError(OciErrorCode::kUnauthorized));
}

TEST_F(IdentityProvidersTest, ReadsTheConfiguredFile) {
  const kv::TemporaryDirectory directory;
  const std::string path = directory.path() + "/keys.json";
  policy_.mutable_identity_providers(0)->set_key_set_file(path);
  IdentityProviders providers(&clock_);
  const std::string token = token::SignClaims(forge_, Job());
  EXPECT_THAT(providers.Verify(policy_, token), StatusIs(absl::StatusCode::kUnavailable));
  runtime::ReplaceFile(path, token::KeySet({forge_.verification_key()}).ToJson());
  EXPECT_OK(providers.Verify(policy_, token));
}

}  // namespace
}  // namespace entrepot::auth
