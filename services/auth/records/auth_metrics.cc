#include "services/auth/records/auth_metrics.h"

#include <string>

#include "prometheus/family.h"

namespace entrepot::auth {
namespace {

const prometheus::Histogram::BucketBoundaries kHashBuckets = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                              0.25,  0.5,    1,     2.5,  5,     10};

}  // namespace

absl::string_view AuthMethodName(AuthMethod method) {
  constexpr std::array<absl::string_view, 5> kNames = {"anonymous", "password", "robot_secret", "refresh_token",
                                                       "identity_token"};
  return kNames[static_cast<size_t>(method)];
}

absl::string_view AuthResultName(AuthResult result) {
  constexpr std::array<absl::string_view, 4> kNames = {"success", "failure", "limited", "error"};
  return kNames[static_cast<size_t>(result)];
}

AuthMetrics::AuthMetrics(const std::shared_ptr<prometheus::Registry>& registry) {
  auto& attempts = prometheus::BuildCounter()
                       .Name("entrepot_auth_attempts_total")
                       .Help("Attempts to authenticate, including requests without a credential.")
                       .Register(*registry);
  for (size_t method = 0; method < kMethods; ++method) {
    for (size_t result = 0; result < kResults; ++result) {
      attempts_[method][result] =
          &attempts.Add({{"method", std::string(AuthMethodName(static_cast<AuthMethod>(method)))},
                         {"result", std::string(AuthResultName(static_cast<AuthResult>(result)))}});
    }
  }
  tokens_ = &prometheus::BuildCounter()
                 .Name("entrepot_tokens_issued_total")
                 .Help("Issued registry tokens.")
                 .Register(*registry)
                 .Add({});
  limited_ = &prometheus::BuildCounter()
                  .Name("entrepot_ratelimited_total")
                  .Help("Requests that were rejected because of a limit.")
                  .Register(*registry);
  for (const char* by : {"address", "account", "hashing"}) limited_->Add({{"by", by}});
  hash_seconds_ = &prometheus::BuildHistogram()
                       .Name("entrepot_password_hash_duration_seconds")
                       .Help("Time to hash a password, without the wait for a slot.")
                       .Register(*registry)
                       .Add({}, kHashBuckets);
  auto& hashes = prometheus::BuildGauge()
                     .Name("entrepot_password_hashes")
                     .Help("Passwords that are being hashed or wait for a slot.")
                     .Register(*registry);
  running_ = &hashes.Add({{"state", "running"}});
  waiting_ = &hashes.Add({{"state", "waiting"}});
}

void AuthMetrics::CountAttempt(AuthMethod method, AuthResult result) {
  attempts_[static_cast<size_t>(method)][static_cast<size_t>(result)]->Increment();
}

void AuthMetrics::CountLimited(absl::string_view by) { limited_->Add({{"by", std::string(by)}}).Increment(); }

}  // namespace entrepot::auth
