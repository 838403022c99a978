#ifndef ENTREPOT_GATEWAY_API_TESTING_TEST_AUTH_H_
#define ENTREPOT_GATEWAY_API_TESTING_TEST_AUTH_H_

#include <atomic>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "gateway/api/registry_api.h"
#include "gateway/backends/auth_backend.h"
#include "services/core/time/fake_clock.h"
#include "services/token/registry_token.h"
#include "services/token/signing_key.h"

namespace entrepot::gateway::api {

// An auth service in memory with real keys and tokens, one account ("ann", password "secret") and a policy that grants
// all requested scopes. Thread-safe.
class TestAuth : public AuthBackend {
 public:
  TestAuth();

  // For a registry without a limit on the rate of key fetches.
  RegistryAccounts accounts();
  FakeClock& clock() { return clock_; }

  // A token of the account for scopes joined by blanks, valid for five minutes.
  std::string Token(absl::string_view account, absl::string_view scopes) const;
  // The claims that Token() signs, for a test to change.
  token::RegistryClaims Claims(absl::string_view account, absl::string_view scopes) const;
  std::string Sign(const token::RegistryClaims& claims) const;
  token::SigningKey signing_key() const;

  // Signs with a new key from now on. The old keys still verify.
  void RotateKey();
  // Publishes only the newest key.
  void WithdrawOldKeys();
  // Every call fails with this status, until it is OK.
  void FailWith(const absl::Status& status);
  void ShowRepositories(std::vector<std::string> patterns);

  int verification_fetches() const { return fetches_; }
  auth::v1::IssueTokenRequest last_token_request() const;
  auth::v1::AdministerRequest last_command() const;

  boost::asio::awaitable<absl::StatusOr<auth::v1::IssueTokenResponse>> IssueToken(
      const CallContext& context, const auth::v1::IssueTokenRequest& request) override;
  boost::asio::awaitable<absl::StatusOr<auth::v1::GetVerificationResponse>> GetVerification(
      const CallContext& context) override;
  boost::asio::awaitable<absl::StatusOr<std::vector<std::string>>> GetReadableRepositories(
      const CallContext& context) override;
  // kAlreadyExists for the user "ann".
  boost::asio::awaitable<absl::StatusOr<auth::v1::AdministerResponse>> Administer(
      const CallContext& context, const auth::v1::AdministerRequest& request) override;

 private:
  absl::StatusOr<auth::v1::IssueTokenResponse> Issue(const auth::v1::IssueTokenRequest& request);

  FakeClock clock_;
  std::atomic<int> fetches_{0};
  mutable absl::Mutex mutex_;
  std::vector<token::SigningKey> keys_ ABSL_GUARDED_BY(mutex_);  // The last one signs.
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> patterns_ ABSL_GUARDED_BY(mutex_);
  auth::v1::IssueTokenRequest last_token_request_ ABSL_GUARDED_BY(mutex_);
  auth::v1::AdministerRequest last_command_ ABSL_GUARDED_BY(mutex_);
};

inline constexpr char kTestIssuer[] = "test-issuer";
inline constexpr char kTestService[] = "test-service";

// A whole header line.
std::string Bearer(absl::string_view token);
std::string Basic(absl::string_view account, absl::string_view password);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_TESTING_TEST_AUTH_H_
