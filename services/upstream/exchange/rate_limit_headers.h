#ifndef ENTREPOT_SERVICES_UPSTREAM_EXCHANGE_RATE_LIMIT_HEADERS_H_
#define ENTREPOT_SERVICES_UPSTREAM_EXCHANGE_RATE_LIMIT_HEADERS_H_

#include <optional>

#include "absl/time/time.h"
#include "services/outbound/http_hop.h"
#include "services/upstream/registry/upstream_registry.h"

namespace entrepot::upstream {

// The rate limit that a response states, in any of its forms: `RateLimit-Limit` and `-Remaining` (Docker's, with a
// window, and IETF's drafts to -06), `RateLimit` with `RateLimit-Policy` (later drafts), and `X-RateLimit-Limit` and
// `-Remaining`. Of several limits it is the one with the least left. Both are nullopt if the response states none:
// that is no limit of zero.
RateLimit ParseRateLimit(const outbound::HopHead& head);

// The wait of `Retry-After` in seconds or as a date, or of `X-Retry-After` as a time of Unix, from 1 s to 1 h. nullopt
// without one.
std::optional<absl::Duration> ParseRetryAfter(const outbound::HopHead& head, absl::Time now);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_EXCHANGE_RATE_LIMIT_HEADERS_H_
