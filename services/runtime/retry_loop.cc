#include "services/runtime/retry_loop.h"

namespace entrepot::runtime {

bool IsRetryable(const absl::Status& status, Idempotency idempotency) {
  if (absl::IsAborted(status)) return true;
  return absl::IsUnavailable(status) && idempotency == Idempotency::kIdempotent;
}

}  // namespace entrepot::runtime
