#include "gateway/api/content/repository_handler.h"

#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {

HandlerResult RepositoryHandler::Handle(RegistryRequest& request) const {
  const absl::StatusOr<RepositoryDeletion> result =
      co_await manifests_->DeleteRepository(request.call, request.repository);
  if (audit_ != nullptr) {
    audit_->Write("administration", {{"account", request.call.caller.account},
                                     {"address", request.http.remote_address},
                                     {"command", "delete_repository"},
                                     {"target", request.repository.ToString()},
                                     {"decision", result.ok() ? "done" : "failed"},
                                     {"request_id", request.call.request_id}});
  }
  CO_ASSIGN_OR_RETURN(const RepositoryDeletion deleted, result);
  boost::json::object body;
  body["manifests"] = deleted.manifests;
  body["tags"] = deleted.tags;
  body["blobs"] = deleted.blobs;
  http::Response response;
  response.fields.emplace_back("Content-Type", "application/json");
  response.body = boost::json::serialize(body);
  co_return response;
}

}  // namespace entrepot::gateway::api
