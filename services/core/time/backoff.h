#ifndef ENTREPOT_SERVICES_CORE_TIME_BACKOFF_H_
#define ENTREPOT_SERVICES_CORE_TIME_BACKOFF_H_

#include "absl/random/bit_gen_ref.h"
#include "absl/time/time.h"

namespace entrepot::runtime {

// How long to wait before each next attempt: the bound doubles from `min` to `max`, and each wait is drawn evenly from
// the bound's upper half, so that clients that failed together do not come back together. Not safe for several threads.
class Backoff {
 public:
  // 0 < min <= max. `random` must outlive it.
  Backoff(absl::Duration min, absl::Duration max, absl::BitGenRef random);

  absl::Duration Next();

 private:
  absl::Duration bound_;
  const absl::Duration max_;
  absl::BitGenRef random_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_CORE_TIME_BACKOFF_H_
