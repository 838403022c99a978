#ifndef ENTREPOT_SERVICES_CORE_TIME_BACKOFF_H_
#define ENTREPOT_SERVICES_CORE_TIME_BACKOFF_H_

#include "absl/random/bit_gen_ref.h"
#include "absl/time/time.h"

namespace entrepot {

// Computes how long to wait before each next attempt. The bound doubles from `min` to `max`. Each wait is drawn evenly
// from the upper half of the bound, so that clients that failed together do not retry together. Not thread-safe.
class Backoff {
 public:
  // 0 < min <= max. `random` must outlive it.
  Backoff(absl::Duration min, absl::Duration max, absl::BitGenRef random);

  // The wait before the next attempt. Positive.
  absl::Duration Next();

 private:
  absl::Duration bound_;
  const absl::Duration max_;
  absl::BitGenRef random_;
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TIME_BACKOFF_H_
