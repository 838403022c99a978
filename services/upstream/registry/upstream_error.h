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
  kUnavailable,  // 5xx, time-out, DNS, TLS, a refused address, a broken connection, no turn in time.
  kInvalid,      // An answer that is no answer of a registry, or has the wrong digest or length.
};

// "not_found", "denied", "rate_limited", "unavailable", "invalid".
absl::string_view ToString(UpstreamFailure failure);

// A status that a client of this registry may get. kNotFound is NAME_UNKNOWN, in place of which the caller may choose
// MANIFEST_UNKNOWN or BLOB_UNKNOWN; kDenied is DENIED (403); kRateLimited, kUnavailable and kInvalid are UNAVAILABLE
// (503) with a Retry-After; never a 401 or a 500. The message should name the upstream; clients see it. `retry_after`
// is what the upstream asked for; it is held between 1 s and 1 h.
absl::Status UpstreamError(UpstreamFailure failure, absl::string_view message,
                           std::optional<absl::Duration> retry_after = {});
// UpstreamError() of kUnavailable for a request that was not sent, because too many others run: it tells nothing about
// the upstream.
absl::Status NotSentError(absl::string_view message);
bool IsNotSent(const absl::Status& status);
// The failure that a status of UpstreamError() carries; nullopt for other statuses. gRPC does not carry it.
std::optional<UpstreamFailure> FailureOf(const absl::Status& status);
// The wait that the upstream asked for; nullopt if it asked for none.
std::optional<absl::Duration> UpstreamRetryAfter(const absl::Status& status);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_REGISTRY_UPSTREAM_ERROR_H_
