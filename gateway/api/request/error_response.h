#ifndef ENTREPOT_GATEWAY_API_REQUEST_ERROR_RESPONSE_H_
#define ENTREPOT_GATEWAY_API_REQUEST_ERROR_RESPONSE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gateway/http/message.h"
#include "services/status/oci_error.h"

// The one writer of error answers: {"errors":[{"code":…,"message":…,"detail":…}]} (OCI distribution specification,
// "Error codes").
namespace entrepot::gateway::api {

// An OCI error whose HTTP status is not that of its code's row: 408, 413, 415.
absl::Status HttpError(int http_status, OciErrorCode code, absl::string_view message);

// What a status means to the client: the HTTP status and code of the OCI error that it carries, else of its canonical
// code; kUnavailable, kDeadlineExceeded and kAborted, which pass, are 503 with Retry-After. The text of what is our
// fault (5xx) is logged with the request's id and not shown.
http::Response ErrorResponse(const absl::Status& status, absl::string_view request_id);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REQUEST_ERROR_RESPONSE_H_
