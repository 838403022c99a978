#include "services/auth/credentials/password_verifier.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/core/time/stopwatch.h"
#include "services/status/retry_after.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {
namespace {

// About a second of work. Each of them blocks a thread while it waits.
constexpr size_t kWaitingForEach = 8;
constexpr absl::Duration kRemembered = absl::Minutes(1);
constexpr size_t kRememberedMax = 4096;

// Repeats the work of a hash of `cost`, doubling it, until the sum is that of a hash of `cost_max`: 2^a + 2^a + 2^(a+1)
// + …
void TakeTime(absl::string_view password, int cost, int cost_max) {
  for (; cost < cost_max; ++cost) BcryptHash::Dummy(cost).Matches(password);
}

bool MatchesInTime(const BcryptHash& hash, absl::string_view password, int cost_max) {
  if (hash.Matches(password)) return true;
  TakeTime(password, hash.cost(), cost_max);
  return false;
}

}  // namespace

PasswordVerifier::PasswordVerifier(const Clock* clock, size_t hashes_max, AuthMetrics* metrics)
    : metrics_(*metrics),
      gate_(hashes_max, hashes_max * kWaitingForEach),
      verified_(clock, kRemembered, kRememberedMax) {}

size_t PasswordVerifier::ThreadsMax(size_t hashes_max) { return hashes_max * (1 + kWaitingForEach); }

template <typename Work>
auto PasswordVerifier::WithSlot(const Work& work) -> absl::StatusOr<decltype(work())> {
  metrics_.hashes_waiting().Increment();
  const absl::StatusOr<HashGate::Slot> turn = gate_.Enter();
  metrics_.hashes_waiting().Decrement();
  if (!turn.ok()) {
    metrics_.CountLimited("hashing");
    return WithRetryAfter(turn.status(), QueueTime());
  }
  metrics_.hashes_running().Increment();
  const Stopwatch stopwatch;
  auto result = work();
  const absl::Duration taken = stopwatch.Elapsed();
  metrics_.ObserveHash(taken);
  last_hash_nanoseconds_.store(absl::ToInt64Nanoseconds(taken), std::memory_order_relaxed);
  metrics_.hashes_running().Decrement();
  return result;
}

absl::StatusOr<bool> PasswordVerifier::Verify(absl::string_view account, absl::string_view password,
                                              const std::optional<BcryptHash>& hash, int cost_max) {
  const BcryptHash compared = hash.has_value() ? *hash : BcryptHash::Dummy(cost_max);
  const absl::StatusOr<bool> right = verified_.Check(account, password, compared.ToString(), [&] {
    return WithSlot([&] { return MatchesInTime(compared, password, cost_max); });
  });
  if (absl::IsResourceExhausted(right.status()) && VerifiedLately(account, password, compared)) return true;
  return right;
}

bool PasswordVerifier::VerifiedLately(absl::string_view account, absl::string_view password, const BcryptHash& hash) {
  return verified_.Knows(account, password, hash.ToString());
}

absl::Duration PasswordVerifier::QueueTime() const {
  // A thread that is about to enter waits for the one inside its slot too.
  return (1 + kWaitingForEach) * absl::Nanoseconds(last_hash_nanoseconds_.load(std::memory_order_relaxed));
}

absl::StatusOr<BcryptHash> PasswordVerifier::Hash(absl::string_view password) {
  RETURN_IF_ERROR(CheckNewPassword(password));
  return WithSlot([&] { return BcryptHash::Make(password, kNewHashCost); });
}

absl::Status CheckNewPassword(absl::string_view password) {
  if (password.empty()) return absl::InvalidArgumentError("a password cannot be empty");
  if (password.size() > kBcryptPasswordBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("a password has at most ", kBcryptPasswordBytesMax, " bytes"));
  }
  if (std::any_of(password.begin(), password.end(),
                  [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); })) {
    return absl::InvalidArgumentError("a password cannot contain line feeds or other control characters");
  }
  return absl::OkStatus();
}

}  // namespace entrepot::auth
