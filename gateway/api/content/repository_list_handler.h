#ifndef ENTREPOT_GATEWAY_API_CONTENT_REPOSITORY_LIST_HANDLER_H_
#define ENTREPOT_GATEWAY_API_CONTENT_REPOSITORY_LIST_HANDLER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/api/content/list_turns.h"
#include "gateway/api/request/registry_request.h"
#include "gateway/backends/auth_backend.h"
#include "gateway/backends/manifest_backend.h"

namespace entrepot::gateway::api {

// GET /v2/_catalog?n=&last=: all repositories; with accounts, those that the caller may read. Thread-safe.
class RepositoryListHandler {
 public:
  // All must outlive the handler. `auth` is nullptr without accounts.
  RepositoryListHandler(ManifestBackend* manifests, AuthBackend* auth, ListTurns* turns)
      : manifests_(manifests), auth_(auth), turns_(turns) {}

  HandlerResult Handle(http::Request& request, const CallContext& call) const;

 private:
  boost::asio::awaitable<absl::StatusOr<std::vector<std::string>>> Patterns(const CallContext& call) const;

  ManifestBackend* const manifests_;
  AuthBackend* const auth_;
  ListTurns* const turns_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_CONTENT_REPOSITORY_LIST_HANDLER_H_
