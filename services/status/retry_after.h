#ifndef ENTREPOT_SERVICES_STATUS_RETRY_AFTER_H_
#define ENTREPOT_SERVICES_STATUS_RETRY_AFTER_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"

// The time after which a request that is refused for now (429, 503) may succeed. A status carries it as a payload,
// which survives gRPC together with an OCI code (status/grpc_status.h).
namespace entrepot {

// Adds the wait, rounded up to whole seconds and at least 1 s, to a status that is not OK.
absl::Status WithRetryAfter(absl::Status status, absl::Duration wait);

// The wait of the status; nullopt if it is not known.
std::optional<absl::Duration> GetRetryAfter(const absl::Status& status);

// The wait as WithRetryAfter() rounds it: for a message, so that it agrees with the header.
int64_t RetryAfterSeconds(absl::Duration wait);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_STATUS_RETRY_AFTER_H_
