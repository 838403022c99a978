#ifndef ENTREPOT_GATEWAY_API_REQUEST_JSON_COMMAND_H_
#define ENTREPOT_GATEWAY_API_REQUEST_JSON_COMMAND_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/api/request/body_reader.h"
#include "gateway/backends/call_context.h"
#include "gateway/http/message.h"
#include "google/protobuf/message.h"
#include "services/status/status_macros.h"

// Commands of entrepotctl to a service: a message with a oneof `command` in protobuf's JSON mapping; the response is
// another message.
namespace entrepot::gateway::api {

// 415: the Content-Type is not application/json. Otherwise the errors of ReadWholeBody().
boost::asio::awaitable<absl::StatusOr<WholeBody>> ReadCommandBody(http::Request& http);
// kInvalidArgument (400): the body is not this message in JSON, has an unknown field, or contains no command.
absl::Status ParseCommand(const std::string& body, google::protobuf::Message* request);
// The errors of commands as responses: 400, 403, 404 or 409. The OCI specification has no codes for most of them.
absl::Status CommandError(const absl::Status& status);
// Sent with Cache-Control: no-store, because it may contain a secret.
absl::StatusOr<http::Response> CommandAnswer(const google::protobuf::Message& response);

// Sets the caller of a command, whatever the body contains.
template <typename Request>
void SetCaller(const http::Request& http, const CallContext& call, Request* request) {
  request->clear_caller();
  request->mutable_caller()->set_account(call.caller.account);
  if (call.caller.token_issued_at != absl::InfiniteFuture()) {
    const int64_t issued_at = absl::ToUnixSeconds(call.caller.token_issued_at);
    request->mutable_caller()->mutable_token_issued_at()->set_seconds(issued_at);
  }
  request->set_remote_address(std::string(http.remote_address));
}

// Parses the command in a request's body and sets its caller.
template <typename Request>
absl::StatusOr<Request> ReadCommand(const std::string& body, const http::Request& http, const CallContext& call) {
  Request request;
  RETURN_IF_ERROR(ParseCommand(body, &request));
  SetCaller(http, call, &request);
  return request;
}

template <typename Response>
absl::StatusOr<http::Response> AnswerCommand(const absl::StatusOr<Response>& response) {
  if (!response.ok()) return CommandError(response.status());
  return CommandAnswer(*response);
}

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REQUEST_JSON_COMMAND_H_
