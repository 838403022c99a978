#ifndef ENTREPOT_SERVICES_UPSTREAM_REGISTRY_UPSTREAM_ERROR_H_
#define ENTREPOT_SERVICES_UPSTREAM_REGISTRY_UPSTREAM_ERROR_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace entrepot::upstream {

// Why an upstream did not give what was asked of it. Also the label `kind` of metrics.
enum class UpstreamFailure {
  kNotFound,     // 404: it has no such repository, tag or digest.
  kDenied,       // 401 or 403 although all its challenges were answered.
  kRateLimited,  // 429.
  kUnavailable,  // 5xx, time-out, DNS, TLS, a refused address, a broken connection.
  kInvalid,      // An answer that is no answer of a registry, or has the wrong digest or length.
};

absl::string_view ToString(UpstreamFailure failure);

// A status that a client of this registry may get: kNotFound as MANIFEST_UNKNOWN or BLOB_UNKNOWN is for the caller to
// choose; kRateLimited, kUnavailable and kInvalid are UNAVAILABLE (503) with a Retry-After; never a 401 or a 500. The
// message names the upstream. `retry_after` is what the upstream asked for, from 1 s to 1 h.
absl::Status UpstreamError(UpstreamFailure failure, absl::string_view message,
                           std::optional<absl::Duration> retry_after = {});
// The failure that a status of UpstreamError() carries; nullopt for other statuses.
std::optional<UpstreamFailure> FailureOf(const absl::Status& status);
std::optional<absl::Duration> UpstreamRetryAfter(const absl::Status& status);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_REGISTRY_UPSTREAM_ERROR_H_
