#ifndef ENTREPOT_GATEWAY_API_REQUEST_COUNTED_BODY_H_
#define ENTREPOT_GATEWAY_API_REQUEST_COUNTED_BODY_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/body/body.h"
#include "gateway/http/message.h"

// Bodies that are counted against the request's memory budget (gateway/http/memory_budget.h).
namespace entrepot::gateway::api {

// 503 with the message of a reservation that was refused.
absl::Status OutOfMemory(const absl::Status& refused);

// The bytes of a response, counted until all its owners are gone. 503 if the budget refuses them.
absl::StatusOr<SharedBytes> CountedBytes(const http::Request& request, std::string bytes);

// The same as a body; a small one is not counted.
absl::StatusOr<Body> CountedBody(const http::Request& request, std::string bytes);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REQUEST_COUNTED_BODY_H_
