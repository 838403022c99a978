#ifndef ENTREPOT_GATEWAY_API_REQUEST_ERROR_RESPONSE_H_
#define ENTREPOT_GATEWAY_API_REQUEST_ERROR_RESPONSE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gateway/http/message.h"
#include "services/status/oci_error.h"

// Writes all error responses: {"errors":[{"code":…,"message":…,"detail":…}]} (OCI distribution specification, "Error
// codes").
namespace entrepot::gateway::api {

// An OCI error with another HTTP status than the one that its code has in services/status/oci_error.cc, such as 413.
// docs/errors.md lists its uses.
absl::Status HttpError(int http_status, OciErrorCode code, absl::string_view message);

// The response to a request that ended with `status`. HTTP status and error code are those of the OCI error that the
// status carries, otherwise of its canonical code: kUnavailable, kDeadlineExceeded, kAborted and kCancelled are
// temporary and become 503 with Retry-After. The message of a server error (5xx) is logged with the request's id and
// not returned. The detail of UNAVAILABLE, if there is one, is the cause in words for the client, and is returned as
// the message.
http::Response ErrorResponse(const absl::Status& status, absl::string_view request_id);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REQUEST_ERROR_RESPONSE_H_
