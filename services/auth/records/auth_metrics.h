#ifndef ENTREPOT_SERVICES_AUTH_RECORDS_AUTH_METRICS_H_
#define ENTREPOT_SERVICES_AUTH_RECORDS_AUTH_METRICS_H_

#include <array>
#include <cstddef>
#include <memory>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace entrepot::auth {

// How a client authenticates.
enum class AuthMethod { kAnonymous, kPassword, kRobotSecret, kRefreshToken, kIdentityToken };
absl::string_view AuthMethodName(AuthMethod method);

enum class AuthResult { kSuccess, kFailure, kLimited, kError };
absl::string_view AuthResultName(AuthResult result);

// The metrics of the auth service:
//   entrepot_auth_attempts_total{method,result}, entrepot_tokens_issued_total, entrepot_ratelimited_total{by},
//   entrepot_password_hash_duration_seconds, entrepot_password_hashes{state="running"|"waiting"}
class AuthMetrics {
 public:
  explicit AuthMetrics(const std::shared_ptr<prometheus::Registry>& registry);

  void CountAttempt(AuthMethod method, AuthResult result);
  void CountToken() { tokens_->Increment(); }
  // "address", "account" or "hashing".
  void CountLimited(absl::string_view by);
  void ObserveHash(absl::Duration duration) { hash_seconds_->Observe(absl::ToDoubleSeconds(duration)); }
  // Threads that wait for a slot, or hash, count themselves in these.
  prometheus::Gauge& hashes_waiting() { return *waiting_; }
  prometheus::Gauge& hashes_running() { return *running_; }

 private:
  static constexpr size_t kMethods = 5;
  static constexpr size_t kResults = 4;

  std::array<std::array<prometheus::Counter*, kResults>, kMethods> attempts_;
  prometheus::Counter* tokens_;
  prometheus::Family<prometheus::Counter>* limited_;
  prometheus::Histogram* hash_seconds_;
  prometheus::Gauge* running_;
  prometheus::Gauge* waiting_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_RECORDS_AUTH_METRICS_H_
