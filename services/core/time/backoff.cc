#include "services/core/time/backoff.h"

#include <algorithm>

#include "absl/random/distributions.h"

namespace entrepot {

Backoff::Backoff(absl::Duration min, absl::Duration max, absl::BitGenRef random)
    : bound_(min), max_(max), random_(random) {}

absl::Duration Backoff::Next() {
  const absl::Duration bound = bound_;
  bound_ = std::min(bound_ * 2, max_);
  return bound * absl::Uniform(absl::IntervalClosed, random_, 0.5, 1.0);
}

}  // namespace entrepot
