#ifndef ENTREPOT_GATEWAY_API_REQUEST_JSON_COMMAND_H_
#define ENTREPOT_GATEWAY_API_REQUEST_JSON_COMMAND_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/backends/call_context.h"
#include "gateway/http/message.h"
#include "google/protobuf/message.h"
#include "services/status/status_macros.h"

// What entrepotctl asks of a service: a message with a oneof `command`, in protobuf's JSON mapping, answered by another
// one.
namespace entrepot::gateway::api {

boost::asio::awaitable<absl::StatusOr<std::string>> ReadCommandBody(http::Request& http);
// kInvalidArgument, which is 400: it is none, knows a field that the message does not, or holds no command.
absl::Status ParseCommand(const std::string& body, google::protobuf::Message* request);
// The errors of commands, which the OCI specification has no codes for, as answers: 400, 403, 404, 409.
absl::Status CommandError(const absl::Status& status);
// Not to be stored anywhere: it may hold a secret.
absl::StatusOr<http::Response> CommandAnswer(const google::protobuf::Message& response);

// Who asks is for the gateway to say, whatever the body says.
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

// The command in a request's body, as its caller's.
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
