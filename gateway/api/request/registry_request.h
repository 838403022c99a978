#ifndef ENTREPOT_GATEWAY_API_REQUEST_REGISTRY_REQUEST_H_
#define ENTREPOT_GATEWAY_API_REQUEST_REGISTRY_REQUEST_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/api/request/verified_token.h"
#include "gateway/backends/call_context.h"
#include "gateway/http/message.h"
#include "services/core/repository_name.h"

namespace entrepot::gateway::api {

// A request for something in a repository: its path has been taken apart and its method is one of the route's. Lives
// until the handler has answered.
struct RegistryRequest {
  http::Request& http;
  CallContext call;
  RepositoryName repository;
  absl::string_view argument;  // The path's last part: a digest, a tag, a session's id.
  // What the request's token grants: at least what the method needs. nullptr: the registry has no accounts.
  const VerifiedToken* token;
};

// What a handler answers: a response, or a status that error_response.h turns into one.
using HandlerResult = boost::asio::awaitable<absl::StatusOr<http::Response>>;

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REQUEST_REGISTRY_REQUEST_H_
