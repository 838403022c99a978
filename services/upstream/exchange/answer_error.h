#ifndef ENTREPOT_SERVICES_UPSTREAM_EXCHANGE_ANSWER_ERROR_H_
#define ENTREPOT_SERVICES_UPSTREAM_EXCHANGE_ANSWER_ERROR_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/upstream/exchange/redirect_follower.h"

namespace entrepot::upstream {

// The UpstreamError() of an answer that is not what was asked for: 404 and 410 are kNotFound; 401, 403 and 451 kDenied;
// 429 kRateLimited; 408 and 5xx kUnavailable; all others kInvalid. The message has the upstream, `request` ("GET
// /v2/a/tags/list"), the status and the first error of the body.
absl::Status ErrorOfAnswer(absl::string_view upstream, absl::string_view request, const Answer& answer, absl::Time now);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_EXCHANGE_ANSWER_ERROR_H_
