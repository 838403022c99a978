#include "services/upstream/client/request_pace.h"

#include <algorithm>

#include "services/upstream/exchange/rate_limit_headers.h"

namespace entrepot::upstream {
namespace {

constexpr double kSlowdownBelow = 0.1;
constexpr absl::Duration kLimitLifetime = absl::Minutes(10);

}  // namespace

void RequestPace::Note(RequestKind kind, const outbound::HopHead& head) {
  const absl::Time now = clock_->Now();
  const RateLimit limit = ParseRateLimit(head);
  const auto retry_after = head.status == 429 ? ParseRetryAfter(head, now) : std::nullopt;
  absl::MutexLock lock(&mutex_);
  if (limit.limit.has_value() || limit.remaining.has_value()) {
    limit_ = limit;
    limit_stated_at_ = now;
    // A manifest's HEAD states what its GET is counted against.
    limited_.insert(kind == RequestKind::kHeadManifest ? RequestKind::kGetManifest : kind);
  }
  if (retry_after.has_value()) pauses_[kind] = {.begin = now, .length = *retry_after};
}

std::optional<absl::Duration> RequestPace::Refusal(RequestKind kind) const {
  const absl::Time now = clock_->Now();
  absl::MutexLock lock(&mutex_);
  const auto pause = pauses_.find(kind);
  if (pause == pauses_.end()) return std::nullopt;
  // The clock may have been set back.
  const absl::Duration left = pause->second.begin + pause->second.length - now;
  if (left <= absl::ZeroDuration() || left > pause->second.length) return std::nullopt;
  return left;
}

absl::Duration RequestPace::Slowdown(RequestKind kind) {
  const absl::Time now = clock_->Now();
  absl::MutexLock lock(&mutex_);
  const absl::Duration spacing = Spacing(kind, now);
  if (spacing <= absl::ZeroDuration()) return absl::ZeroDuration();
  // Also if the clock has been set back.
  next_at_ = std::clamp(next_at_ + spacing, now + spacing, now + kSlowdownMax);
  return next_at_ - now;
}

absl::Duration RequestPace::Spacing(RequestKind kind, absl::Time now) const {
  if (kind == RequestKind::kHeadManifest || kind == RequestKind::kHeadBlob) return absl::ZeroDuration();
  if (!limited_.contains(kind) || now - limit_stated_at_ > kLimitLifetime) return absl::ZeroDuration();
  if (!limit_.limit.has_value() || !limit_.remaining.has_value() || *limit_.limit <= 0) return absl::ZeroDuration();
  const double left = static_cast<double>(*limit_.remaining) / static_cast<double>(*limit_.limit);
  return left >= kSlowdownBelow ? absl::ZeroDuration() : (1 - left / kSlowdownBelow) * kSpacingMax;
}

RateLimit RequestPace::rate_limit() const {
  absl::MutexLock lock(&mutex_);
  return limit_;
}

}  // namespace entrepot::upstream
