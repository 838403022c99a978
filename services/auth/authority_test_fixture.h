#ifndef ENTREPOT_SERVICES_AUTH_AUTHORITY_TEST_FIXTURE_H_
#define ENTREPOT_SERVICES_AUTH_AUTHORITY_TEST_FIXTURE_H_

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/auth/authority.h"
#include "services/auth/credentials/bcrypt_hash.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/runtime/config/config_defaults.h"
#include "services/status/status_matchers.h"
#include "services/token/key_set.h"
#include "services/token/registry_token.h"

namespace entrepot::auth {

// For tests: an authority with its own policy, accounts file and KV. The users admin, ci and prod have the passwords
// "admin-password" and so on.
class AuthorityTest : public testing::Test {
 protected:
  static constexpr const char* kPolicy = R"(
administrators: [admin, "group:operators"]
groups:
  - {name: builders, members: [ci]}
  - {name: operators}
  - {name: cleaners}
rules:
  - {name: prod pulls, subjects: [prod], repositories: [driftwood/web], actions: [pull]}
  - {name: ci pushes, subjects: ["group:builders"], repositories: ["driftwood/**"], actions: [pull, push]}
  - {name: cleaning, subjects: ["group:cleaners"], repositories: ["driftwood/**"], actions: ["*"]}
  - {name: the public, subjects: [anyone], repositories: ["public/**"], actions: [pull]}
immutable_tags:
  - {name: releases, repositories: ["driftwood/**"], tags: ["release-*"]}
create_only_tags:
  - {name: snapshots, subjects: [ci], repositories: [driftwood/web], tags: ["snapshot-*"]}
)";

  void SetUp() override {
    Write("policy.yaml", kPolicy);
    std::string accounts;
    for (const char* name : {"admin", "ci", "prod"}) {
      absl::StrAppend(&accounts, name, ":", BcryptHash::Make(absl::StrCat(name, "-password"), 4).ToString(), "\n");
    }
    Write("accounts", accounts);
    config_.set_policy_file(PathOf("policy.yaml"));
    config_.set_accounts_file(PathOf("accounts"));
    config_.set_audit_file(PathOf("audit"));
    config_.set_failed_attempts_max(3);
    runtime::FillDefaults(&config_);
    Open();
  }

  void Open() {
    authority_.reset();
    ASSERT_OK_AND_ASSIGN(authority_, Authority::Open(config_, {.kv = &kv_, .clock = &clock_, .registry = registry_}));
  }

  std::string PathOf(const std::string& name) const { return directory_.path() + "/" + name; }
  void Write(const std::string& name, const std::string& text) const { std::ofstream(PathOf(name)) << text; }
  std::string Read(const std::string& name) const {
    std::ifstream file(PathOf(name));
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  // Requests.
  static v1::IssueTokenRequest Anonymous(const std::vector<std::string>& scopes) {
    v1::IssueTokenRequest request;
    for (const std::string& scope : scopes) request.add_scopes(scope);
    request.set_remote_address("192.0.2.1");
    request.set_client_id("docker");
    return request;
  }
  static v1::IssueTokenRequest Password(const std::string& account, const std::string& password,
                                        const std::vector<std::string>& scopes = {}) {
    v1::IssueTokenRequest request = Anonymous(scopes);
    request.mutable_password()->set_account(account);
    request.mutable_password()->set_password(password);
    return request;
  }
  static v1::IssueTokenRequest Refresh(const std::string& token, const std::vector<std::string>& scopes = {}) {
    v1::IssueTokenRequest request = Anonymous(scopes);
    request.set_refresh_token(token);
    return request;
  }
  // With the right password.
  static v1::IssueTokenRequest As(const std::string& account, const std::vector<std::string>& scopes = {}) {
    return Password(account, account + "-password", scopes);
  }

  v1::IssueTokenResponse Issue(const v1::IssueTokenRequest& request) {
    absl::StatusOr<v1::IssueTokenResponse> response = authority_->IssueToken(request);
    EXPECT_OK(response);
    return response.value_or(v1::IssueTokenResponse());
  }
  std::string GrantedTo(const v1::IssueTokenRequest& request) { return Issue(request).scope(); }
  std::string NewRefreshToken(v1::IssueTokenRequest request) {
    request.set_offline(true);
    return Issue(request).refresh_token();
  }
  token::RegistryClaims ClaimsOf(const std::string& token) {
    const absl::StatusOr<v1::GetVerificationResponse> verification = authority_->GetVerification();
    EXPECT_OK(verification);
    const absl::StatusOr<token::KeySet> keys = token::KeySet::Parse(verification->key_set_json());
    EXPECT_OK(keys);
    const auto claims = token::VerifyRegistryToken(
        token, *keys, {.issuer = verification->issuer(), .audience = verification->service()}, clock_.Now());
    EXPECT_OK(claims);
    return claims.value_or(token::RegistryClaims());
  }

  absl::StatusOr<v1::AdministerResponse> Administer(v1::AdministerRequest request,
                                                    const std::string& caller = "admin") {
    request.mutable_caller()->set_account(caller);
    request.set_remote_address("192.0.2.9");
    return authority_->Administer(request);
  }

  double Counter(const std::string& name, const std::string& label_value = "") const {
    double sum = 0;
    for (const auto& family : registry_->Collect()) {
      if (family.name != name) continue;
      for (const auto& metric : family.metric) {
        const bool wanted = label_value.empty() || std::any_of(metric.label.begin(), metric.label.end(),
                                                               [&](const auto& l) { return l.value == label_value; });
        if (wanted) sum += metric.counter.value + static_cast<double>(metric.histogram.sample_count);
      }
    }
    return sum;
  }

  kv::TemporaryDirectory directory_;
  kv::MemoryKvEngine kv_;
  FakeClock clock_;
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  config::v1::Authentication config_;
  std::unique_ptr<Authority> authority_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_AUTHORITY_TEST_FIXTURE_H_
