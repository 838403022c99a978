#ifndef ENTREPOT_GATEWAY_API_REQUEST_REGISTRY_REQUEST_H_
#define ENTREPOT_GATEWAY_API_REQUEST_REGISTRY_REQUEST_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/api/request/access_token.h"
#include "gateway/backends/call_context.h"
#include "gateway/http/message.h"
#include "services/core/repository_name.h"

namespace entrepot::gateway::api {

// A request to a route of a repository, with its path taken apart. The route supports its method. Lives until the
// handler has responded.
struct RegistryRequest {
  http::Request& http;
  CallContext call;
  RepositoryName repository;
  absl::string_view argument;  // The argument of the route's pattern: a digest, a tag, a session's id.
  // The request's token, which grants at least the permission of the method. nullptr: the registry has no accounts.
  const AccessToken* token;
  // The repository caches an upstream, and the method is GET, HEAD or DELETE.
  bool is_cached = false;
};

// A handler's result: a response, or a status that error_response.h turns into one.
using HandlerResult = boost::asio::awaitable<absl::StatusOr<http::Response>>;

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REQUEST_REGISTRY_REQUEST_H_
