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
      failed_pairs_(options.entries_max) {}

std::optional<AttemptLimits::Refusal> AttemptLimits::Check(absl::string_view address, absl::string_view account) {
  const std::string from = ClientNetwork(address);
  const absl::Time now = clock_.Now();
  const absl::MutexLock lock(&mutex_);
  if (Bucket* const bucket = addresses_.Find(from); bucket != nullptr) {
    if (const auto wait = WaitFor(bucket, now)) return Refusal{.by = "address", .retry_after = *wait};
  }
  Bucket* const bucket = accounts_.Find(account);
  if (bucket == nullptr) return std::nullopt;
  const auto wait = WaitFor(bucket, now);
  if (!wait.has_value()) return std::nullopt;
  const absl::Time* const failed_at = failed_pairs_.Find(PairKey(from, account));
  if (failed_at == nullptr || absl::AbsDuration(now - *failed_at) >= TimeToFill()) return std::nullopt;
  return Refusal{.by = "account", .retry_after = *wait};
}

void AttemptLimits::CountFailure(absl::string_view address, absl::string_view account) {
  const std::string from = ClientNetwork(address);
  const absl::Time now = clock_.Now();
  const absl::MutexLock lock(&mutex_);
  TakeFrom(&addresses_[from], now);
  TakeFrom(&accounts_[std::string(account)], now);
  failed_pairs_[PairKey(from, account)] = now;
}

void AttemptLimits::CountSuccess(absl::string_view address, absl::string_view account) {
  const absl::MutexLock lock(&mutex_);
  failed_pairs_.Erase(PairKey(ClientNetwork(address), account));
}

std::optional<absl::Duration> AttemptLimits::WaitFor(Bucket* bucket, absl::Time now) const {
  // If the clock was set back, the stored time may be too far ahead: even an empty bucket is full after TimeToFill().
  *bucket = std::min(*bucket, now + TimeToFill());
  const absl::Duration wait = *bucket - now - (TimeToFill() - options_.interval);
  if (wait <= absl::ZeroDuration()) return std::nullopt;
  return wait;
}

void AttemptLimits::TakeFrom(Bucket* bucket, absl::Time now) const {
  *bucket = std::min(std::max(*bucket, now) + options_.interval, now + TimeToFill());
}

}  // namespace entrepot::auth
