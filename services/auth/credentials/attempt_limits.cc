#include "services/auth/credentials/attempt_limits.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/core/client_network.h"

namespace entrepot::auth {
namespace {

std::string PairKey(absl::string_view address, absl::string_view account) {
  return absl::StrCat(address, absl::string_view("\0", 1), account);
}

}  // namespace

AttemptLimits::AttemptLimits(const Clock* clock, const Options& options)
    : clock_(*clock),
      options_(options),
      addresses_(options.entries_max),
      accounts_(options.entries_max),
      failed_pairs_(options.entries_max),
      logins_(options.entries_max) {}

std::optional<AttemptLimits::Refusal> AttemptLimits::Check(absl::string_view address, absl::string_view account) {
  const std::string from = ClientNetwork(address);
  const absl::Time now = clock_.Now();
  const absl::MutexLock lock(&mutex_);
  std::optional<Refusal> refusal = FindRefusal(from, account, now);
  if (refusal.has_value()) refusal->known = IsKnown(PairKey(from, account), now);
  return refusal;
}

std::optional<AttemptLimits::Refusal> AttemptLimits::FindRefusal(const std::string& from, absl::string_view account,
                                                                 absl::Time now) {
  if (Bucket* const bucket = addresses_.Find(from); bucket != nullptr) {
    if (const auto wait = WaitFor(bucket, options_.failures_max, now)) {
      return Refusal{.by = "address", .retry_after = *wait};
    }
  }
  Bucket* const bucket = accounts_.Find(account);
  if (bucket == nullptr) return std::nullopt;
  const auto wait = WaitFor(bucket, options_.failures_max, now);
  if (!wait.has_value()) return std::nullopt;
  const absl::Time* const failed_at = failed_pairs_.Find(PairKey(from, account));
  if (failed_at == nullptr || absl::AbsDuration(now - *failed_at) >= TimeToFill(options_.failures_max)) {
    return std::nullopt;
  }
  return Refusal{.by = "account", .retry_after = *wait};
}

bool AttemptLimits::IsKnown(const std::string& pair, absl::Time now) {
  Login* const login = logins_.Find(pair);
  if (login == nullptr || absl::AbsDuration(now - login->at) >= options_.known_for) return false;
  return !WaitFor(&login->comparisons, comparisons_max(), now).has_value();
}

void AttemptLimits::CountFailure(absl::string_view address, absl::string_view account) {
  const std::string from = ClientNetwork(address);
  const absl::Time now = clock_.Now();
  const absl::MutexLock lock(&mutex_);
  TakeFrom(&addresses_[from], options_.failures_max, now);
  TakeFrom(&accounts_[std::string(account)], options_.failures_max, now);
  failed_pairs_[PairKey(from, account)] = now;
}

void AttemptLimits::CountSuccess(absl::string_view address, absl::string_view account) {
  const std::string pair = PairKey(ClientNetwork(address), account);
  const absl::Time now = clock_.Now();
  const absl::MutexLock lock(&mutex_);
  failed_pairs_.Erase(pair);
  logins_[pair].at = now;
}

void AttemptLimits::CountComparison(absl::string_view address, absl::string_view account) {
  const std::string pair = PairKey(ClientNetwork(address), account);
  const absl::Time now = clock_.Now();
  const absl::MutexLock lock(&mutex_);
  if (Login* const login = logins_.Find(pair); login != nullptr) TakeFrom(&login->comparisons, comparisons_max(), now);
}

std::optional<absl::Duration> AttemptLimits::WaitFor(Bucket* bucket, int size, absl::Time now) const {
  // A bucket is stored as the moment at which it is full. If the clock was set back, that moment may be too late. So it
  // is never later than the moment at which a bucket that is empty now is full.
  *bucket = std::min(*bucket, now + TimeToFill(size));
  const absl::Duration wait = *bucket - now - (TimeToFill(size) - options_.interval);
  if (wait <= absl::ZeroDuration()) return std::nullopt;
  return wait;
}

void AttemptLimits::TakeFrom(Bucket* bucket, int size, absl::Time now) const {
  *bucket = std::min(std::max(*bucket, now) + options_.interval, now + TimeToFill(size));
}

}  // namespace entrepot::auth
