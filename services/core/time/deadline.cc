#include "services/core/time/deadline.h"

#include <algorithm>

namespace entrepot {
namespace {

using Clock = std::chrono::steady_clock;

// A longer wait would overflow the clock's counter.
constexpr absl::Duration kLongest = absl::Hours(24 * 365 * 100);

}  // namespace

Deadline Deadline::After(absl::Duration from_now) {
  return Deadline(Clock::now() + absl::ToChronoNanoseconds(std::clamp(from_now, absl::ZeroDuration(), kLongest)));
}

absl::Duration Deadline::Left() const { return std::max(absl::FromChrono(time_ - Clock::now()), absl::ZeroDuration()); }

}  // namespace entrepot
