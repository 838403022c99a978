#include "gateway/api/testing/test_auth.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/core/access_scope.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"
#include "services/token/key_set.h"

namespace entrepot::gateway::api {
namespace {

using boost::asio::awaitable;

constexpr absl::Duration kLifetime = absl::Minutes(5);

}  // namespace

TestAuth::TestAuth() { RotateKey(); }

RegistryAccounts TestAuth::accounts() {
  RegistryAccounts accounts;
  accounts.auth = this;
  accounts.clock = &clock_;
  accounts.keys.fetch_interval_min = absl::ZeroDuration();
  return accounts;
}

std::string TestAuth::Token(absl::string_view account, absl::string_view scopes) const {
  return Sign(Claims(account, scopes));
}

token::RegistryClaims TestAuth::Claims(absl::string_view account, absl::string_view scopes) const {
  token::RegistryClaims claims;
  claims.issuer = kTestIssuer;
  claims.subject = std::string(account);
  claims.audience = kTestService;
  claims.issued_at = clock_.Now();
  claims.not_before = claims.issued_at;
  claims.expires_at = claims.issued_at + kLifetime;
  claims.id = "test";
  claims.access = ParseAccessScopes(scopes).value();
  return claims;
}

std::string TestAuth::Sign(const token::RegistryClaims& claims) const {
  return token::IssueRegistryToken(signing_key(), claims);
}

token::SigningKey TestAuth::signing_key() const {
  absl::MutexLock lock(&mutex_);
  return keys_.back();
}

void TestAuth::RotateKey() {
  absl::MutexLock lock(&mutex_);
  keys_.push_back(token::SigningKey::Generate(token::SignatureAlgorithm::kEs256));
}

void TestAuth::WithdrawOldKeys() {
  absl::MutexLock lock(&mutex_);
  keys_.erase(keys_.begin(), keys_.end() - 1);
}

void TestAuth::FailWith(const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  failure_ = status;
}

void TestAuth::ShowRepositories(std::vector<std::string> patterns) {
  absl::MutexLock lock(&mutex_);
  patterns_ = std::move(patterns);
}

auth::v1::IssueTokenRequest TestAuth::last_token_request() const {
  absl::MutexLock lock(&mutex_);
  return last_token_request_;
}

auth::v1::AdministerRequest TestAuth::last_command() const {
  absl::MutexLock lock(&mutex_);
  return last_command_;
}

awaitable<absl::StatusOr<auth::v1::IssueTokenResponse>> TestAuth::IssueToken(
    const CallContext&, const auth::v1::IssueTokenRequest& request) {
  co_return Issue(request);
}

absl::StatusOr<auth::v1::IssueTokenResponse> TestAuth::Issue(const auth::v1::IssueTokenRequest& request) {
  {
    absl::MutexLock lock(&mutex_);
    last_token_request_ = request;
    RETURN_IF_ERROR(failure_);
  }
  std::string account;
  if (request.has_password()) {
    account = request.password().account();
    if (account != "ann" || request.password().password() != "secret") {
      return OciError(OciErrorCode::kUnauthorized, "the credential is wrong");
    }
  }
  const token::RegistryClaims claims = Claims(account, absl::StrJoin(request.scopes(), " "));
  auth::v1::IssueTokenResponse response;
  response.set_token(Sign(claims));
  response.set_expires_in_seconds(300);
  response.mutable_issued_at()->set_seconds(absl::ToUnixSeconds(claims.issued_at));
  response.set_scope(JoinAccessScopes(claims.access));
  if (request.offline()) response.set_refresh_token("refresh-me");
  return response;
}

awaitable<absl::StatusOr<auth::v1::GetVerificationResponse>> TestAuth::GetVerification(const CallContext&) {
  ++fetches_;
  std::vector<token::VerificationKey> keys;
  {
    absl::MutexLock lock(&mutex_);
    if (!failure_.ok()) co_return failure_;
    for (const token::SigningKey& key : keys_) keys.push_back(key.verification_key());
  }
  auth::v1::GetVerificationResponse response;
  response.set_key_set_json(token::KeySet(std::move(keys)).ToJson());
  response.set_issuer(kTestIssuer);
  response.set_service(kTestService);
  co_return response;
}

awaitable<absl::StatusOr<std::vector<std::string>>> TestAuth::GetReadableRepositories(const CallContext&) {
  absl::MutexLock lock(&mutex_);
  if (!failure_.ok()) co_return failure_;
  co_return patterns_;
}

awaitable<absl::StatusOr<auth::v1::AdministerResponse>> TestAuth::Administer(
    const CallContext&, const auth::v1::AdministerRequest& request) {
  absl::MutexLock lock(&mutex_);
  last_command_ = request;
  if (!failure_.ok()) co_return failure_;
  if (request.create_user().name() == "ann") co_return absl::AlreadyExistsError("there is a user \"ann\"");
  auth::v1::AdministerResponse response;
  response.mutable_done();
  co_return response;
}

std::string Bearer(absl::string_view token) { return absl::StrCat("Authorization: Bearer ", token, "\r\n"); }

std::string Basic(absl::string_view account, absl::string_view password) {
  return absl::StrCat("Authorization: Basic ", absl::Base64Escape(absl::StrCat(account, ":", password)), "\r\n");
}

}  // namespace entrepot::gateway::api
